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
async function passed(context: GlContext): Promise<void> {
  const fence = context.fenceSync?.(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
  if (!fence) return;
  context.flush();
  const { port1, port2 } = new MessageChannel() as unknown as Channel;
  try {
    while (!context.isContextLost() && context.clientWaitSync?.(fence, 0, 0) === gl.TIMEOUT_EXPIRED) {
      // A turn of the event loop, without the four milliseconds of a nested timeout.
      await new Promise((resolve) => {
        port1.onmessage = resolve;
        port2.postMessage(0);
      });
    }
  } finally {
    port1.close();
    context.deleteSync?.(fence);
  }
}

/** What browsers have of it, and Node's types do not tell. */
interface Channel {
  readonly port1: { onmessage: (event: unknown) => void; close(): void };
  readonly port2: { postMessage(message: unknown): void };
}
