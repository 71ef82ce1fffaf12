/** How samples are written. */
interface WavForm {
  sampleRate?: number;
  /** 1 for integers, 3 for floats. */
  code?: 1 | 3;
  bits?: number;
  /** Writes the form's code behind it, as files of many channels do. */
  extensible?: boolean;
}

/** Writes channels of samples in [−1, 1) as a WAV file, with a part in it that readers are to pass over. */
export function wavFile(form: WavForm, channels: readonly (readonly number[])[]) {
  const { sampleRate = 8000, code = 1, bits = 16, extensible = false } = form;
  const size = bits / 8;
  const samples = channels[0].length;
  const formBytes = extensible ? 40 : 16;
  const dataBytes = size * samples * channels.length;
  const bytes = new Uint8Array(12 + 8 + formBytes + 8 + 4 + 8 + dataBytes + (dataBytes % 2));
  const view = new DataView(bytes.buffer);
  const name = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at);
  name(0, "RIFF");
  view.setUint32(4, bytes.length - 8, true);
  name(8, "WAVEfmt ");
  view.setUint32(16, formBytes, true);
  view.setUint16(20, extensible ? 0xfffe : code, true);
  view.setUint16(22, channels.length, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * channels.length * size, true);
  view.setUint16(32, channels.length * size, true);
  view.setUint16(34, bits, true);
  if (extensible) {
    view.setUint16(36, 22, true);
    view.setUint16(38, bits, true);
    view.setUint16(44, code, true);
    const rest = [
      0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71,
    ];
    bytes.set(rest, 46);
  }
  let at = 20 + formBytes;
  name(at, "JUNK");
  view.setUint32(at + 4, 3, true); // and a byte to make it even
  at += 12;
  name(at, "data");
  view.setUint32(at + 4, dataBytes, true);
  at += 8;
  for (let i = 0; i < samples; i++) {
    for (const channel of channels) {
      const whole = Math.round(channel[i] * 2 ** (bits - 1));
      if (code === 3) view[bits === 32 ? "setFloat32" : "setFloat64"](at, channel[i], true);
      else if (bits === 8) view.setUint8(at, whole + 128);
      else for (let k = 0; k < size; k++) view.setUint8(at + k, (whole >> (8 * k)) & 0xff);
      at += size;
    }
  }
  return bytes;
}
