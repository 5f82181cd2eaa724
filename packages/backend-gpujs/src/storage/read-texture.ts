import { type GlContext, gl } from './gl-context.ts';

/** Four numbers of each texel: that much every context can read. WebGL 2 does not stop the page meanwhile. */
export async function readTexture(
  context: GlContext,
  texture: object,
  [width, height]: readonly [number, number],
): Promise<Float32Array> {
  const texels = new Float32Array(4 * width * height);
  const framebuffer = context.createFramebuffer();
  if (!framebuffer) return texels;
  context.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
  context.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  const read = (where: Float32Array | number): void => {
    context.readPixels(0, 0, width, height, gl.RGBA, gl.FLOAT, where);
    context.deleteFramebuffer(framebuffer);
  };
  const buffer = context.fenceSync && context.createBuffer();
  if (!buffer) {
    read(texels);
    return texels;
  }
  context.bindBuffer(gl.PIXEL_PACK_BUFFER, buffer);
  context.bufferData(gl.PIXEL_PACK_BUFFER, texels.byteLength, gl.STREAM_READ);
  read(0);
  context.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
  await passed(context);
  context.bindBuffer(gl.PIXEL_PACK_BUFFER, buffer);
  context.getBufferSubData?.(gl.PIXEL_PACK_BUFFER, 0, texels);
  context.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
  context.deleteBuffer(buffer);
  return texels;
}

/** All that was given to the context so far is done, or the context lost. */
export async function passed(context: GlContext): Promise<void> {
  const fence = context.fenceSync?.(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
  if (!fence) return;
  context.flush();
  // Whoever asks all the time takes the time of what he waits for, where the processor draws.
  for (let wait = 0; !context.isContextLost(); wait = Math.min(4, wait + 1)) {
    if (context.clientWaitSync?.(fence, 0, 0) !== gl.TIMEOUT_EXPIRED) break;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
  context.deleteSync?.(fence);
}
