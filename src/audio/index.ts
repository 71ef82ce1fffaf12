export { type DecodeAudioOptions, decodeAudio } from "./decode-audio.ts";
export { type ResampleOptions, resample } from "./resample.ts";
export {
  type MelFilterOptions,
  type MelSpectrogramOptions,
  melFilters,
  melSpectrogram,
  type SpectrogramOptions,
  type StftOptions,
  spectrogram,
  stft,
} from "./spectrogram.ts";
export { readWav, type WavAudio } from "./wav.ts";
