/** Runs on the audio thread: collects a tenth of a second of samples and hands them to the page. */
class Microphone extends AudioWorkletProcessor {
  #samples = []
  process([input]) {
    if (input?.[0]) this.#samples.push(...input[0])
    if (this.#samples.length >= sampleRate / 10) {
      this.port.postMessage(Float32Array.from(this.#samples))
      this.#samples = []
    }
    return true
  }
}
registerProcessor("microphone", Microphone)
