/**
 * The end of the call: a next step that is asked for, dated, owned and agreed.
 *
 * @since 0.1.0
 */
import { anyOf } from "./Phrases.js"
import type { Reading } from "./Reading.js"
import { type Category, said } from "./Signal.js"

const mine = ({ ending }: Reading) => ending.filter(({ role }) => role === "user")

/**
 * The parts of a next step: the ask, its date, and who does what. A rep's sentence takes each by these phrases.
 *
 * @since 0.1.0
 * @category rubric
 */
export const nextStepParts = {
  ask: anyOf(
    "(let's|let us|shall we|should we|can we|could we|i'd (like|love|suggest|propose) (to|that|we|a)?|i (suggest|propose|recommend)|why don't we|what if we|how about|want to|happy to) … (schedule|set up|set|book|meet|get together|talk|speak|connect|plan|start|put|find|hop|jump|demo|show|walk|pencil|lock|block|do|get|go|reconvene|continue|call|trial|pilot|meeting|session)",
    "(how|what) about (a |next |this |on |the |we |monday|tuesday|wednesday|thursday|friday|tomorrow|[0-9])",
    "(would|will|are) you (be )?(open|up|willing|free|available|ready|able|around|interested)",
    "(would|does|do|will|could|can) … (monday|tuesday|wednesday|thursday|friday|tomorrow|morning|afternoon|week|[0-9]+|noon) … (work|suit|good|fit|better|make)",
    "(would|does|do|will|could|can) (monday|tuesday|wednesday|thursday|friday|tomorrow|next week|then|you) … (work|suit|fit|make it|do|meet|join)",
    "(monday|tuesday|wednesday|thursday|friday|tomorrow|[0-9]+) … (work|suit|good|better|or)",
    "(work|works|good|better) for you",
    "next step",
    "next steps",
    "(send|sending|get|put) (you |over |out |a |an |the |your )*(calendar )?(invite|invitation|agreement|contract|proposal|calendar|order form|docusign)",
    "(book|schedule|set up|put|pencil|grab|block) (you |us |it |a |an |in |out |some |that |the |[0-9]+ )*(demo|call|meeting|time|session|slot|minutes|calendar|visit|trial|pilot|in|down)",
    "(ready|want|like) to (get started|move forward|go ahead|sign up|start)",
    "(shall|should|can) (i|we) … (go ahead|get started|book|set|send|sign|put)"
  ),
  date: anyOf(
    "(monday|tuesday|wednesday|thursday|friday|saturday|sunday|tomorrow|tonight|noon)",
    "(this|next|coming) (afternoon|evening|morning|week|month)",
    "(january|february|march|april|june|july|august|september|october|november|december)( [0-9]+)?",
    "(the )?[0-9]{1,2}(st|nd|rd|th)",
    "(at|around|by) ([0-9]{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)([:.][0-9]{2})?",
    "[0-9]{1,2}([:.][0-9]{2})? ?(am|pm|a\\.m|p\\.m|o'clock)",
    "in (one|two|three|a|[0-9]+) (day|days|week|weeks)",
    "end of (the )?(day|week|month)|by (end of|eod)"
  ),
  owner: anyOf(
    "(i'll|i will|i am going to|i'm going to|let me|i'm|i can) … (send|email|share|prepare|bring|put|invite|call|set|get|draft|show|have|include|book|forward|write|build|run|pull|walk|sending|introduce|loop)",
    "(you'll|you will|you'd|can you|could you|would you|if you|please) … (bring|invite|send|share|have|get|loop|forward|add|check|pull|include|ask|introduce|grab|export|confirm)",
    "(we'll|we will|we can) … (go|show|walk|look|cover|set|build|run|review|see|bring|start|have)",
    "(who else|anyone else) … (join|there|room|call|invite|include|part|see)"
  )
} as const

/**
 * @since 0.1.0
 * @category rubric
 */
export const Closing = {
  category: "closing",
  weight: 1.5,
  signals: [
    {
      name: "nextStep",
      points: 3,
      find: said(mine, nextStepParts.ask),
      shown: "You asked for a next step.",
      missing: "Ask for a next step before the call ends."
    },
    {
      name: "date",
      points: 2.5,
      find: said(mine, nextStepParts.date),
      shown: "You put a day or time on it.",
      missing: "Put a day and a time on the next step."
    },
    {
      name: "owner",
      points: 1.5,
      find: said(mine, nextStepParts.owner),
      shown: "It was clear who does what.",
      missing: "Say who does what until then: what you send, what they bring."
    },
    {
      name: "recap",
      points: 1,
      find: said(
        mine,
        anyOf(
          "(to|let me|just to|so to|i'll|quick|quickly) (quickly )?(recap|summarize|summarise|sum up|confirm|make sure)",
          "recap",
          "(so )?we (agreed|said|covered|talked about|discussed)",
          "(based on|given|from) (what|everything|all) (you|you've|we|we've)",
          "you (said|mentioned|told|want|wanted|need|needed|shared|described)",
          "so (that's|it's|we're|we have|i have|we've got|i'll) …",
          "if i (understood|heard|have)",
          "(show|see|show you) … (exactly )?(how|what|where)"
        )
      ),
      shown: "You summed up what matters to the prospect.",
      missing: "Sum up in one sentence what you heard and agreed."
    },
    {
      name: "commitment",
      points: 1.5,
      find: said(
        ({ ending }) => ending.filter(({ role }) => role === "agent"),
        anyOf(
          "(sounds|sound) (good|great|fine|fair|reasonable|like a plan|perfect|okay|interesting)",
          "(works|work) (for me|fine|well|great|better)",
          "(that|it|monday|tuesday|wednesday|thursday|friday|tomorrow|morning|afternoon|[0-9]+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirty|am|pm|o'clock) (works|is (good|fine|great|ok|okay|better)|would work|should work|it is|then)",
          "(let's|let us) (do|go|try|talk|set|book|start|meet|see)",
          "(i'll|i will|i can|we can|i could|we'll) (be there|do|bring|join|make|take a look|look|have|get|invite|send|talk|see|make it|live with|check)",
          "(see|talk|speak) (to )?(you )?(then|monday|tuesday|wednesday|thursday|friday|tomorrow|soon|next)",
          "(send|book) (me |it |over |the |an? |that )*(invite|invitation|calendar|contract|agreement|in)",
          "(deal|agreed|perfect|looking forward)",
          "(yes|yeah|yep|sure|okay|ok|alright|fine),? (that|let's|i can|we can|why not|go ahead|send|book|sounds|do|thursday|tuesday|monday|wednesday|friday)"
        )
      ),
      shown: "The prospect agreed to it.",
      missing: "Wait for a clear yes before you hang up."
    },
    {
      name: "goodbye",
      points: 0.5,
      find: said(
        mine,
        anyOf(
          "(thanks|thank you|appreciate)",
          "(looking|look) forward",
          "(talk|speak|see) (to )?(you )?(then|soon|tomorrow|next|on|monday|tuesday|wednesday|thursday|friday)",
          "(have|enjoy) (a|your|the) (great|good|nice|lovely|wonderful|rest|day|week)"
        )
      ),
      shown: "You ended politely.",
      missing: "Thank the prospect for the time."
    },
    {
      name: "vagueEnd",
      points: -2.5,
      find: said(
        mine,
        anyOf(
          "(i'll|i will|let me|we'll|we can|i can|maybe i|maybe we|let's|i could|could) … (follow up|check in|check back|touch base|circle back|reach out|call you back|try you|call back|get back|talk again|catch up|ping you)( with you| to you| again)? (sometime|some time|later|soon|at some point|in the future|another time|in a (few|couple)|down the|whenever|eventually|then)",
          "(sometime|some time|at some point|whenever|another time|one of these days)",
          "(let me know|give me a (call|ring|shout)|reach out|call me|get in touch|feel free) … (if|when|whenever|what you|once|any)",
          "feel free to",
          "think (about it|it over) … (and|let|call)",
          "(keep|stay) in touch",
          "(just|i'll|i can|let me|i could) … (send|email|shoot) (you |over |some |an? |the |our )*(info|information|brochure|website|link|deck|email)(?![^.!?]{0,60}(monday|tuesday|wednesday|thursday|friday|tomorrow))"
        )
      ),
      shown: "You ended with a vague promise, which leaves the next move to chance."
    }
  ]
} as const satisfies Category
