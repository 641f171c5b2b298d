// Text that links need not carry, because both sides have it. A dictionary never changes once links were made with it;
// a better one gets the next letter.

const WORDS = `"tokenizer_class":"transformers_version":"5.0.0","use_cache":true,"attention_dropout":0.0,"initializer_range":0.02,
"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":4096,"intermediate_size":14336,"num_hidden_layers":32,
"num_attention_heads":32,"num_key_value_heads":8,"head_dim":128,"vocab_size":128256,"tie_word_embeddings":false,
"rope_theta":500000.0,"max_position_embeddings":131072,"rope_scaling":{"rope_type":"llama3","factor":32.0,"low_freq_factor":1.0,
"high_freq_factor":4.0,"original_max_position_embeddings":8192},"rms_norm_eps":1e-05,"hidden_act":"silu","torch_dtype":"bfloat16"
irplan 1\\nlet D = config.hidden_size\\nlet H = config.num_attention_heads\\nlet KV = config.num_key_value_heads ?? H\\n
let K = config.head_dim ?? D / H\\nlet F = config.intermediate_size\\nlet V = config.vocab_size\\nlet W = config.torch_dtype ?? bf16
require (config.hidden_act ?? \\"silu\\") == \\"silu\\", \\"only silu\\"\\ndim B in 1..64\\ndim S in 1..2048\\ndim P[B] in 0..C - 1\\n
phase prefill { S in 1..chunk }\\nphase decode { S = 1 }\\nbudget memory <= 24GiB\\nbudget B * S <= 8192\\ninput tokens: i32[B, S]\\n
fn norm(x, p, n) { return rmsnorm(x, param W[n] from \\"{p}.weight\\", eps=config.rms_norm_eps) }\\nfn mlp(x, p) {\\n  y = silu(
  return linear(x, param W[m, n] from \\"{p}.weight\\", bias ? param W[m] from \\"{p}.bias\\" : none)\\n}\\nfn heads(x, p, n)
return view(x, shape=[B, S, n, K]) }\\nfn rot(x, p) { return rope(x, at=P, base=theta, scaling=scaling) }\\n
h = embed(tokens, wte)\\nfor i in config.num_hidden_layers with h {\\n  let p = \\"model.layers.{i}\\"\\n  let m = \\"{p}.self_attn\\"
  keys   = append(state W[B, C, KV, K] from \\"{p}.k\\", k, at=P)\\n  values = append(state W[B, C, KV, K] from \\"{p}.v\\", v, at=P)\\n
  a = attention(q, keys, values, causal=true, window=none, scale=1.0)\\n  h = h + \\n.o_proj .q_proj .k_proj .v_proj .gate_proj .up_proj
.down_proj .input_layernorm .post_attention_layernorm model.norm lm_head.weight model.embed_tokens.weight\\n
softmax(slice(axis=1, start=S - 1, len=1)concat(split(sizes=[transpose(perm=[gelu_tanh(matmul(layernorm(softcap(cast(to=f32)
","config":"{\\n  \\"configName":"config.json","options":{"target":"cpu","lets":{},"dims":{},"denyWarnings":true},"sizes":{"B":1,"S":4096
{"file":"program.irplan","text":"# \\n\\ninput x: f16[1, S, D]\\nw = param f16[D]\\n\\nn = rmsnorm(x, w, eps=1e-5)\\n
r = rope(n, base=10000, dim=64)\\ns = silu(r)\\nout = output(s)\\n"}`;

export const DICTIONARIES: Record<string, Uint8Array> = {
  a: new TextEncoder().encode(WORDS.replaceAll('\n', '')),
};
export const NEWEST = 'a';
