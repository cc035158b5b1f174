/**
 * Learning about the prospect: open questions, the pain behind the facts, how they decide, and hearing the answers.
 *
 * @since 0.1.0
 */
import { anyOf } from "./Phrases.js"
import { isDiscovery, isOpenQuestion } from "./Questions.js"
import type { Reading } from "./Reading.js"
import { type Category, count, fading, quotes, said } from "./Signal.js"

const discovery = ({ discovery }: Reading) => discovery

/**
 * @since 0.1.0
 * @category rubric
 */
export const Discovery = {
  category: "discovery",
  weight: 1.5,
  signals: [
    {
      name: "openQuestions",
      points: 4,
      find: count(discovery, isOpenQuestion, 4),
      shown: "You asked open questions.",
      missing: "Ask at least four open questions (what, how, tell me) about how they work today."
    },
    {
      name: "painQuestions",
      points: 2,
      find: said(
        discovery,
        anyOf(
          "(happen|happens|happened|happening)",
          "(affect|affects|affecting|impact|impacts|impacting|cost|costs|costing|mean|means|consequence|consequences|effect)",
          "(challenge|challenges|challenging|problem|problems|pain|painful|struggle|struggling|struggles|frustrating|frustrates|frustrated|frustration|difficult|hard|hardest|headache|headaches|bottleneck|issue|issues|stuck|trouble|worry|worries|annoying|wrong|gaps?|slip|slips|slipping|lose|losing|lost|break|breaks)",
          "(how much|how many|how often|how long|how big)",
          "(matter|matters|important|priority|priorities|goal|goals|trying to|wish|change|improve|different|ideal|magic wand|success|better)",
          "why (is|does|do|did|now|that)"
        ),
        2
      ),
      shown: "You asked about the problem behind the facts and what it costs.",
      missing: "Go one level deeper: ask what the problem costs and what happens if nothing changes."
    },
    {
      name: "processQuestions",
      points: 1,
      find: said(
        discovery,
        anyOf(
          "(decide|decides|decision|decisions|involved|approve|approves|sign off|sign-off|evaluate|evaluating|process|criteria|budget|budgeted|timeline|deadline|by when|when do|when would|who else|stakeholder|stakeholders|buy-in|purchase|buying)",
          "who (is|would|else|owns|handles|makes|signs|looks)"
        )
      ),
      shown: "You asked how they decide.",
      missing: "Ask who else is involved in a decision like this, and by when it is needed."
    },
    {
      name: "reflecting",
      points: 1.5,
      find: said(
        ({ rep }) => rep,
        anyOf(
          "you (just )?(mentioned|said|told|described|brought up|talked about)",
          "(sounds|seems|looks|feels) like",
          "(sounds|seems) (really |very |pretty |so )?(frustrating|tough|hard|stressful|painful|exhausting|rough|difficult|expensive|annoying)",
          "(that's|that is|what) a (big|huge|tough|lot|long|real|significant|serious)",
          "sorry to hear|i (can )?(bet|imagine)",
          "(what i'm hearing|i'm hearing|if i (understand|heard|hear)|let me (make sure|see if|check|play|recap|summarize)|did i (get|hear) that|so to (recap|summarize)|in other words)",
          "so (you're|you are|your|it's|that's|the|they|you) … (then|right|correct)",
          "so (you're|your team|your|you've|you have|that's|right now you) (\\p{L}|[0-9])+",
          "(earlier|before) you",
          "tell me more|say more|go on|interesting[,.—-]",
          "based on what you"
        ),
        2
      ),
      shown: "You played back what you heard.",
      missing: 'Play back what you heard before you go on: "You mentioned ...", "It sounds like ...".'
    },
    {
      name: "listening",
      points: 1.5,
      find: (reading) => {
        const share = reading.repWords / Math.max(1, reading.repWords + reading.prospectWords)
        const asked = Math.min(1, reading.discovery.length / 2)
        return { share: reading.prospectWords === 0 ? 0 : fading(share, 0.6, 0.8) * asked, evidence: [] }
      },
      shown: "You left the prospect room to talk.",
      missing: "Talk less: the prospect should have about half of the words."
    },
    {
      name: "stackedQuestions",
      points: -1,
      find: (reading) => {
        const stacked = reading.turns.flatMap((turn) => {
          const asked = turn.filter((sentence) => sentence.role === "user" && isDiscovery(sentence))
          return asked.length >= 3 ? asked : []
        })
        return { share: stacked.length > 0 ? 1 : 0, evidence: quotes(stacked) }
      },
      shown: "You asked three or more questions in one breath, and the prospect can answer only one."
    }
  ]
} as const satisfies Category
