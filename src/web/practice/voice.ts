/**
 * A spoken call: microphone to the agent and the agent to the loudspeaker, over the WebSocket of the signed URL, as
 * 16-bit mono PCM in base64. Opened only on the user's click, which is also what lets a browser play sound.
 */
const sampleRate = 16_000

export interface Line {
  readonly close: () => void
}

export interface LineEvents {
  readonly onOpen: () => void
  readonly onTurn: (role: "user" | "agent", text: string) => void
  /** The line is gone, and not by `close`: `reason` is empty when the agent ended the conversation. */
  readonly onEnd: (reason: string) => void
}

const toBase64 = (samples: Float32Array): string => {
  const bytes = new Uint8Array(samples.length * 2)
  const view = new DataView(bytes.buffer)
  samples.forEach((sample, i) => view.setInt16(i * 2, Math.max(-1, Math.min(1, sample)) * 0x7fff, true))
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
}

const fromBase64 = (text: string): Float32Array<ArrayBuffer> => {
  const raw = atob(text)
  const samples = new Float32Array(raw.length >> 1)
  for (let i = 0; i < samples.length; i++) {
    const value = raw.charCodeAt(i * 2) | (raw.charCodeAt(i * 2 + 1) << 8)
    samples[i] = (value >= 0x8000 ? value - 0x10000 : value) / 0x8000
  }
  return samples
}

export const open = (signedUrl: string, events: LineEvents): Line => {
  let over = false
  let connected = false
  let silent = false
  let microphone: MediaStream | undefined
  const audio = new AudioContext({ sampleRate })
  const socket = new WebSocket(signedUrl)
  let playUntil = 0
  let playing: Array<AudioBufferSourceNode> = []

  const end = (reason: string): void => {
    if (over) return
    over = true
    microphone?.getTracks().forEach((track) => track.stop())
    void audio.close()
    socket.close()
    if (!silent) events.onEnd(reason)
  }
  const play = (samples: Float32Array<ArrayBuffer>): void => {
    const buffer = audio.createBuffer(1, samples.length, sampleRate)
    buffer.copyToChannel(samples, 0)
    const source = audio.createBufferSource()
    source.buffer = buffer
    source.connect(audio.destination)
    playUntil = Math.max(playUntil, audio.currentTime)
    source.start(playUntil)
    playUntil += buffer.duration
    playing.push(source)
    source.addEventListener("ended", () => (playing = playing.filter((other) => other !== source)))
  }
  const speak = async (): Promise<void> => {
    microphone = await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: true, noiseSuppression: true }
    })
    await audio.audioWorklet.addModule("/practice/microphone.js")
    const tap = new AudioWorkletNode(audio, "microphone", { numberOfOutputs: 0 })
    tap.port.addEventListener("message", (event: MessageEvent<Float32Array>) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ user_audio_chunk: toBase64(event.data) }))
    })
    tap.port.start()
    audio.createMediaStreamSource(microphone).connect(tap)
  }

  socket.addEventListener("open", () => {
    connected = true
    socket.send(JSON.stringify({ type: "conversation_initiation_client_data" }))
    events.onOpen()
    speak().catch(() => end("The microphone is not available."))
  })
  socket.addEventListener("message", ({ data }: MessageEvent<string>) => {
    const message = JSON.parse(data)
    switch (message.type) {
      case "ping":
        return socket.send(JSON.stringify({ type: "pong", event_id: message.ping_event.event_id }))
      case "audio":
        return play(fromBase64(message.audio_event.audio_base_64))
      case "interruption":
        playing.forEach((source) => source.stop())
        playUntil = 0
        return
      case "user_transcript":
        return events.onTurn("user", message.user_transcription_event.user_transcript)
      case "agent_response":
        return events.onTurn("agent", message.agent_response_event.agent_response)
    }
  })
  // A line that was never open, or broke, has an error before its close; one that the agent closed has none.
  socket.addEventListener("error", () =>
    end(connected ? "The voice line broke." : "The voice line could not be opened.")
  )
  socket.addEventListener("close", ({ code }) => end(code === 1000 ? "" : "The voice line broke."))
  return {
    close: () => {
      silent = true
      end("")
    }
  }
}
