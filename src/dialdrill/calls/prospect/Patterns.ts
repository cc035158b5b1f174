/**
 * The words by which `Understanding` recognises acts, topics and themes in English. Every pattern is an alternation of
 * words, its repetitions bounded and its gaps limited to whole words, so that no text makes one slow. Order matters in
 * `topicPatterns` alone: the first topic that matches a question wins.
 *
 * @since 0.1.0
 */

/**
 * Acts that one look at the text decides.
 *
 * @since 0.1.0
 * @category patterns
 */
export const actPatterns = {
  greeting: /^(?:\p{L}+ ){0,1}(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|greetings)\b/iu,
  introduction:
    /\b(?:my name is|my name's|this is \p{L}+,? (?:from|at|with|calling|here)|calling from|i'm with|i'm (?:\p{L}+ ){0,3}(?:from|at) )/iu,
  permission:
    /\b(?:(?:is|did|have|am) (?:this|now|i|it) (?:\w+ ){0,3}(?:bad|good|okay|ok) (?:a )?(?:time|moment)|(?:bad|good|better) time|caught? you|do you have (?:\w+ ){0,2}(?:minutes?|moment|seconds?|sec)|(?:have|got|spare|take|steal|borrow|give me) (?:\w+ ){0,2}(?:minutes?|moment|seconds?|sec)\b|(?:mind|okay|ok|alright) if i\b)/i,
  smallTalk:
    /\bhow(?: are| is|'s| have) (?:you\b(?! (?:currently|handling|managing|doing (?:that|this|it)|using|running|planning))|your (?:day|week|morning|afternoon)|everything|it going)/i,
  acknowledgement:
    /\b(?:i (?:completely |totally |really |fully |can )?(?:understand|hear you|hear that|get (?:it|that)|appreciate|imagine|see (?:that|why|your))|understood|understandable|(?:makes|make) (?:total |perfect |complete |a lot of )?sense(?!\?)|fair (?:enough|point|question|concern)|(?:good|great|important) (?:point|question|concern)|that's (?:\w+ )?(?:fair|valid|reasonable|important)|of course|you're right|sorry (?:to hear|about)|sounds (?:\w+ )?(?:frustrating|tough|painful|hard|familiar|like)|thanks for (?:being|telling|sharing|the)|thank you for|no wonder|i'd (?:feel|think|say|be) )/i,
  apology: /\b(?:sorry|apolog(?:y|ies|ise|ize)|my (?:bad|fault|mistake)|forgive me)\b/i,
  reasoning:
    /\b(?:because|since|so that|which means|that means|that way|the difference|the reason|works? (?:with|alongside|on top|next to|beside)|includ(?:es|ed|ing)|no (?:contract|setup|long|lock|commitment|obligation|cost)|cancel|for example|for instance|typically|usually|in practice|nothing (?:to|changes)|only (?:pay|takes?|need)|takes? (?:\w+ ){0,2}(?:minutes?|hours?|days?|weeks?)|we (?:handle|take care|cover|train|migrate|guarantee|import|start|keep|set|do|never|don't|only)|you (?:keep|can|don't|won't|only|stay|decide))\b/i,
  proof:
    /\b(?:(?:customers?|clients?|teams?|companies|firms|businesses|agencies|shops) (?:like|such as|similar|who|that|of your|in your|we|your size)|case stud(?:y|ies)|references?|per ?cent|on average|measured|for one (?:customer|client)|another (?:customer|client|company|team)|one of our (?:customers|clients)|went from|(?:uses?|using|runs?) (?:it|us|ours|this)|with us (?:since|for)|within (?:\w+ ){1,2}(?:days|weeks|months)|in (?:the first )?(?:\w+ )?(?:weeks|months))\b|\d ?%/i,
  pushy:
    /\b(?:you (?:have|need|must|should really) to (?:buy|sign|decide|act|see this)|sign (?:up )?(?:today|now)|today only|last chance|limited (?:time|offer)|right now only|you'd be (?:crazy|stupid|a fool)|before it's too late|no[- ]brainer)\b/i,
  rude: /\b(?:shut up|bullshit|crap|hell with|screw (?:you|that|this)|waste of (?:my )?time|don't be (?:silly|stupid|difficult)|(?:you're|you are|you sound|you must be|that's|that is|your \w{1,20} is|are you) (?:\w+ )?(?:stupid|dumb|ridiculous|pathetic|clueless|incompetent|lazy|lying|a liar|nonsense|deaf|even listening))\b/i,
  abusive:
    /\b(?:idiot|moron|imbecile|asshole|bastard|bitch|f+u+c+k+(?:ing|er|ed)?|piece of shit|go to hell|loser|scum)\b/i,
  thanks: /\b(?:thanks|thank you|much appreciated|grateful)\b/i,
  goodbye:
    /\b(?:good ?bye|bye(?: bye)?|have a (?:good|great|nice|lovely) (?:day|one|week|weekend|evening|afternoon)|(?:i'll|i will|let me) let you (?:go|get back)|take care|(?:talk|speak) (?:soon|later)|not a (?:good )?fit)\b/i
} as const satisfies Readonly<Record<string, RegExp>>

/**
 * What a question can be after; the first that matches wins.
 *
 * @since 0.1.0
 * @category patterns
 */
export const topicPatterns = {
  budget:
    /\b(?:budgets?|afford|set aside|invest(?:ing|ment)?|spend(?:ing)?|willing to pay|money (?:for|available|there))\b/i,
  decision:
    /\b(?:who (?:else )?(?:\w+ ){0,2}(?:decides?|signs?|approves?|involved|has|makes|needs|say)|decisions?|decid(?:e|es|ing)|sign[- ]?off|approv(?:al|e|es|ed)|stakeholders?|(?:else|people) (?:\w+ ){0,3}involved|final say|procurement|buy(?:ing)? (?:process|something like)|evaluat(?:e|ing|ion))\b/i,
  impact:
    /\b(?:costs? (?:you|your|the team|the business|the company)|costing|impact|what happens (?:when|if|then)|consequences?|affect|los(?:e|es|ing)|how (?:often|much time|many (?:hours|times|days))|how much (?:\w+ ){0,3}(?:cost|time|hours|lose)|add(?:s)? up)\b/i,
  timing:
    /\b(?:time ?(?:lines?|frames?)|timing|by when|when (?:would|do|does|are|is|did|will|could|were|should)|how soon|deadlines?|this (?:quarter|year)|next (?:quarter|year)|renew(?:al|s)?|urgent|urgency|priority|go live|how long (?:until|before|left))\b/i,
  team: /\b(?:how many (?:people|employees|reps|users|staff|colleagues|technicians|drivers|planners|dispatchers|seats|of you|are)|how (?:big|large)|size of|team size|head ?count|(?:about|on|in|is|does) your (?:team|staff|crew|company|department) ?(?:look|like|made|structured|today)?\??$|who (?:is|works|sits) (?:on|in) (?:your|the) team|team (?:look|made|structured))\b/i,
  pain: /\b(?:challeng(?:e|es|ing)|problems?|pains?|frustrat(?:e|es|ed|ing|ions?)|difficult(?:y|ies)?|struggl(?:e|es|ing)|headaches?|hard(?:est)?|bother(?:s|ing)?|issues?|worr(?:y|ies|ied)|biggest|go(?:es|ing)? wrong|annoy(?:s|ed|ing)?|slow(?:s|ing)? (?:you|things|the)|troubles?|stress(?:ful)?|nights?|breaks? down|dislike|tedious)\b/i,
  goal: /\b(?:ideal(?:ly)?|perfect (?:world|day)|magic wand|goals?|success(?:ful)?|look like|hop(?:e|ing)|wish|want to|looking for|improv(?:e|ed|ement)|like to (?:see|change|have)|change (?:about|if|one)|would good|aim(?:ing)?)\b/i,
  tool: /\b(?:currently|today|right now|at the moment|us(?:e|ing)|tools?|systems?|software|handl(?:e|es|ing)|manag(?:e|es|ing)|process(?:es)?|vendors?|providers?|platforms?|work with|in place|how (?:do|does|are|is) (?:you|your|things?|that)|walk me through)\b/i
} as const satisfies Readonly<Record<string, RegExp>>

/**
 * What an answer to an objection has to touch.
 *
 * @since 0.1.0
 * @category patterns
 */
export const themePatterns = {
  price:
    /\b(?:prices?|pricing|costs?|budgets?|expensive|afford(?:able)?|roi|returns?|pays?|payback|sav(?:e|es|ing|ings)|worth|money|monthly|month|discount|refund|trial|cheap(?:er)?|free|fee)\b|[$€£]/i,
  incumbent:
    /\b(?:already|current(?:ly)?|replac(?:e|es|ing)|alongside|compar(?:e|ed|ison)|differen(?:t|ce)|switch(?:ing)?|integrat\w{0,8}|on top|keep|instead|existing|work(?:s)? with|missing|gaps?|like about|happy)\b/i,
  time: /\b(?:minutes?|moment|brief(?:ly)?|quick(?:ly)?|short|seconds?|later|hours?|time|busy|call (?:you )?back|weeks?)\b/i,
  trust:
    /\b(?:customers?|clients?|references?|guarantees?|proof|prove|case stud(?:y|ies)|trial|pilot|years|contract|cancel|risk|refund|burned|happened|went wrong|speak to|honest|promise)\b/i,
  authority:
    /\b(?:boss|director|cfo|ceo|board|partner|wife|brother|team|together|involved?|decisions?|decide|present|summary|join|invite|both|everyone|they|she|he)\b/i,
  need: /\b(?:because|reason|number|list|linkedin|website|saw|found|picked|recommended|colleagues?|others|problem|happens?|growth|grow|enough|works?|fine|teams|agencies|companies|customers|noticed|miss(?:ed|ing)?|lose|mistakes?|errors?)\b/i,
  effort:
    /\b(?:set ?up|days?|weeks?|hours?|train(?:ing|ed)?|learn|migrat\w{0,6}|import|support|onboard\w{0,4}|we do|minutes?|roll(?:out)?|simple|easy|phones?|app|adopt\w{0,5}|people)\b/i,
  security:
    /\b(?:data|servers?|cent(?:er|re)s?|stor(?:e|es|ed)|certified|down|secur(?:e|ity)|encrypt\w{0,5}|gdpr|hipaa|audit\w{0,3}|soc ?2?|iso|compl(?:y|iant|iance)|access|host(?:ed|ing)?|privacy|outage|backup|uptime|offline)\b/i,
  email: /\b(?:e-?mail|send|summary|specific|include|page|information|read|happy to|tailor|useful)\b/i
} as const satisfies Readonly<Record<string, RegExp>>

/**
 * Single patterns: those with groups capture what a slot holds.
 *
 * @since 0.1.0
 * @category patterns
 */
export const patterns = {
  confirmation:
    /(?:^|, )(?:(?:and|so|but|well|okay|great|then),? ){0,2}(?:(?:does|did|do|would|will|is|are) (?:that|this|it|you|i) (?:\w+ ){0,3}(?:make sense|help|answer|address|settle|resolve|sound|clear|fair|reasonable|comfortable|agree|convinced|ease|work)|how does that (?:sound|land|feel)|what do you (?:think|say)|where does that leave)\b|\b(?:makes sense|fair enough|sound fair|sounds fair|okay|right|agreed)\?|\b(?:still|anything else) (?:\w+ ){0,4}(?:concern|worr|mind|holding|missing|way)/i,
  questionStart:
    /^(?:(?:and|so|but|okay|ok|well|just|also|then|great|sure|now),? ){0,3}(?:what|how|why|who|when|where|which|do you|does|did you|are you|is there|is it|can you|could you|would you|have you|will you|tell me|walk me|describe|help me understand)\b/i,
  specificQuestion: /\b(?:how (?:many|much|long|often|soon|big|large|old)|who|whom|when|which|where)\b/i,
  openQuestion: /\b(?:what|why|how|tell me|walk me|talk me|describe|help me understand|share)\b/i,
  courtesy:
    /^(?:hi|hello|hey|good (?:morning|afternoon)|this is [\w'-]+,? (?:from|at|with|calling|here)|my name|thanks|thank you|sorry|okay|ok|great|sure|perfect|understood|of course|no problem)\b|\b(?:i (?:completely |totally |really |can )?(?:understand|hear you|get (?:it|that)|appreciate|imagine|see)|fair (?:enough|point)|makes? (?:total |perfect )?sense|good (?:point|question)|sounds (?:frustrating|tough|painful|hard|familiar)|(?:sorry|thanks) (?:to hear|for)|i'd (?:feel|think|say))\b/i,
  price:
    /[$€£] ?\d|\b\d[\d,.]{0,9}k? ?(?:dollars|euros|bucks|pounds)\b|\b(?:prices?|pricing|costs?|priced|fee|fees|subscription|(?:a|per|each) (?:month|seat|user|year)|discounts?|cheap(?:er|est)?|expensive|affordable|investment)\b/i,
  number: /([$€£] ?\d[\d,.]{0,9}\b(?:[km]\b)?|\b\d[\d,.]{0,9} ?(?:dollars|euros|bucks|pounds|percent|per cent|%))/i,
  benefit:
    /\b(?:helps?|sav(?:e|es|ed|ing)|reduc(?:e|es|ed|ing)|cuts?|cutting|increas(?:e|es|ed|ing)|improv(?:e|es|ed|ing)|faster|less|fewer|avoids?|stops?|no more|never (?:again|have)|automat\w{0,8}|so (?:that )?(?:you|your|nobody|everyone)|which means|instead of|frees?|catch(?:es)?|fix(?:es)?|solv(?:e|es|ed)|prevents?|eliminat\w{0,4}|speeds?|warns?|sees? (?:it|that|problems)|went from|in half)\b/i,
  proposal:
    /\b(?:book|schedule|set up|arrange|find|grab|put|plan|jump on|hop on|pencil in|get|do|open to|up for|have|start with|meet for|invite you to|show you (?:this|it|that|how)?)\b(?: [\w'-]{1,20}){0,4} (?:call|meeting|demo|demonstration|slot|walk-?through|session|pilot|trial|calendar|calendars|appointment|follow-?up)\b|\bnext steps?\b|\b(?:are you|would you be) (?:free|available)\b|\b(?:can|could|shall|should|let's|may) (?:\w+ )?meet\b|\bsend (?:you )?(?:an|the|a calendar) invite\b/i,
  offer:
    /\b(?:how about|what about|let's|let us|works? for you|suits? you|i'd (?:like|love|suggest|propose)|i (?:suggest|propose)|we (?:should|could)|shall (?:we|i)|i'll (?:call|send|come|put|see|ring)|confirm(?:ed)?|looking forward|then)\b/i,
  day: /\b((?:(?:next|this) )?(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)|(?:the )?day after tomorrow|tomorrow|(?:january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec) \d{1,2}(?:st|nd|rd|th)?|the \d{1,2}(?:st|nd|rd|th)(?: of [a-z]{3,9})?)\b/i,
  properDay:
    /\b(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec)\b/,
  time: /\b(?:at )?(\d{1,2}(?::\d{2})? ?(?:am|pm|o'clock))\b|\bat (\d{1,2}(?::\d{2})?|noon|ten|nine|eleven|two|three|four)\b|\b(\d{1,2}:\d{2})\b/i,
  caller:
    /\b(?:my name is|my name's|this is|i am|i'm) (?!calling|not|just|with|from|at|the|a|an|here|so|sorry|about|how|why|what|very|really|glad|happy|sure|going|only|your)(\p{L}[\p{L}'-]{1,19})(?: \p{L}[\p{L}'-]{1,19})?,? (?:from|at|with|of|calling|here)\b|\b(?:my name is|my name's) (\p{L}[\p{L}'-]{1,19})/iu,
  from: /\b(?:from|calling from|i'm with|name is \p{L}{2,20},? (?:at|with)|this is \p{L}{2,20},? (?:at|with)) (?!the |your |our |my |a |an |here|there|home|now|what|\d)(\p{L}[\p{L}\p{N}&'-]{1,23})/iu,
  rival:
    /\b(?:[Tt]han|[Vv]ersus|[Vv]s\.?|[Uu]nlike|[Cc]ompared (?:to|with)|[Ii]nstead of|[Cc]ompetitors? (?:like|such as)|[Rr]eplac(?:e|ing)|[Ss]witch(?:ed|ing)? from|[Aa]lternatives? to|[Tt]ried|[Ll]ooked at) (?!I\b)(\p{Lu}[\p{L}\p{N}&'-]{1,23})/u,
  rivals: /\b(?:competitors?|competition|other (?:vendors|tools|providers)|alternatives?)\b/i,
  promise:
    /\b(?:i'll|i will|we'll|we will|i can|let me|happy to) (?:send|e-?mail|share|get|bring|show|forward|prepare)(?: [\w'-]{1,20}){0,4}? (case study|proposal|summary|references?|recording|one-pager|calculation|quote|agenda|customer story|price list|checklist|example)\b/i,
  buzzword:
    /\b(AI|artificial intelligence|automation|synergy|platform|ecosystem|digital transformation|game[- ]changer|cutting[- ]edge|best[- ]in[- ]class|next[- ]gen(?:eration)?|blockchain|revolutionary|world[- ]class|paradigm|disruptive|turnkey|holistic|end-to-end)\b/i
} as const satisfies Readonly<Record<string, RegExp>>

/**
 * Products that callers compare themselves with, by the name under which they are echoed. Names that are everyday
 * words are left out: "a notion", "to excel".
 *
 * @since 0.1.0
 * @category patterns
 */
export const brands: ReadonlyArray<string> = [
  "Salesforce",
  "HubSpot",
  "Pipedrive",
  "Zoho",
  "Gong",
  "SAP",
  "Oracle",
  "Workday",
  "NetSuite",
  "QuickBooks",
  "Xero",
  "Shopify",
  "Slack",
  "Asana",
  "Jira",
  "Zendesk",
  "Intercom",
  "Freshdesk",
  "ServiceNow",
  "Deel",
  "Rippling",
  "Airtable",
  "Trello",
  "ClickUp",
  "Dynamics",
  "Smartsheet"
]
