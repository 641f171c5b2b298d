// The words of the language, for colours and completion.

export const KEYWORDS = 'let dim input param state from fn return for in with if else phase budget require none true false'.split(' ');
export const FUNCTIONS = 'min max ceil floor ceildiv sqrt log len has round'.split(' ');
export const DTYPES = 'f32 f16 bf16 f8e4m3 f8e5m2 i32 i64 i8 bool q8_0 q4_0 i4g128 mxfp4'.split(' ');

export const NUMBER = /\d[\d_]*(\.\d+)?([eE][+-]?\d+)?([KMGT]i?B|B)?\b/;
