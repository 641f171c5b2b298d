/// <reference types="vite/client" />

declare module 'irplan/irplan.wasm?url' {
  const url: string;
  export default url;
}

declare module 'irplan/irplan-run.wasm?url' {
  const url: string;
  export default url;
}
