/** What is used of WebGL. */
export interface GlContext {
  getParameter(name: number): unknown;
  getError(): number;
  isContextLost(): boolean;
  createTexture(): object | null;
  deleteTexture(texture: object): void;
  activeTexture(unit: number): void;
  bindTexture(target: number, texture: object | null): void;
  texParameteri(target: number, name: number, value: number): void;
  texStorage2D?(target: number, levels: number, format: number, width: number, height: number): void;
  texImage2D(
    target: number,
    level: number,
    internalFormat: number,
    width: number,
    height: number,
    border: number,
    format: number,
    type: number,
    values: Float32Array | null,
  ): void;
  texSubImage2D(
    target: number,
    level: number,
    x: number,
    y: number,
    width: number,
    height: number,
    format: number,
    type: number,
    values: Float32Array,
  ): void;
  pixelStorei(name: number, value: number): void;
  createFramebuffer(): object | null;
  deleteFramebuffer(framebuffer: object): void;
  bindFramebuffer(target: number, framebuffer: object | null): void;
  framebufferTexture2D(target: number, attachment: number, textures: number, texture: object, level: number): void;
  readPixels(
    x: number,
    y: number,
    width: number,
    height: number,
    format: number,
    type: number,
    values: Float32Array | number,
  ): void;
  createBuffer(): object | null;
  deleteBuffer(buffer: object): void;
  bindBuffer(target: number, buffer: object | null): void;
  bufferData(target: number, bytes: number, usage: number): void;
  fenceSync?(condition: number, flags: number): object | null;
  deleteSync?(sync: object): void;
  clientWaitSync?(sync: object, flags: number, timeout: number): number;
  getBufferSubData?(target: number, offset: number, values: Float32Array): void;
  flush(): void;
}

/** Its constants, whose values the standard fixes. */
export const gl = {
  OUT_OF_MEMORY: 0x0505,
  TEXTURE_2D: 0x0de1,
  FLOAT: 0x1406,
  RED: 0x1903,
  RGBA: 0x1908,
  NEAREST: 0x2600,
  TEXTURE_MAG_FILTER: 0x2800,
  TEXTURE_MIN_FILTER: 0x2801,
  TEXTURE_WRAP_S: 0x2802,
  TEXTURE_WRAP_T: 0x2803,
  CLAMP_TO_EDGE: 0x812f,
  RGBA32F: 0x8814,
  R32F: 0x822e,
  MAX_TEXTURE_SIZE: 0x0d33,
  TEXTURE15: 0x84cf,
  UNPACK_FLIP_Y_WEBGL: 0x9240,
  FRAMEBUFFER: 0x8d40,
  COLOR_ATTACHMENT0: 0x8ce0,
  PIXEL_PACK_BUFFER: 0x88eb,
  STREAM_READ: 0x88e1,
  SYNC_GPU_COMMANDS_COMPLETE: 0x9117,
  TIMEOUT_EXPIRED: 0x911b,
  WAIT_FAILED: 0x911d,
} as const;
