/**
 * Ten labelled practice calls, best first, as a coach would rank them. `R:` is the rep (user), `P:` the prospect (agent);
 * `R?:` marks a turn of the rep that only discovers.
 */
import type { PracticeCall, Turn } from "../../../src/dialdrill/scoring/Transcript.js"

export type Label = "good" | "middling" | "bad"

export interface Fixture {
  readonly name: string
  readonly label: Label
  readonly call: PracticeCall
  /** The same call without the turns that only discover, and without the answers to them. */
  readonly withoutDiscovery: PracticeCall
  /** The same call, where the prospect says the answers unasked. */
  readonly withoutDiscoveryQuestions: PracticeCall
}

export const turns = (script: string): ReadonlyArray<Turn> => parse(script).map(({ turn }) => turn)

const parse = (script: string): ReadonlyArray<{ readonly turn: Turn; readonly discovers: boolean }> =>
  script
    .trim()
    .split("\n")
    .map((line) => {
      const [, speaker, text] = /^\s*(R\?|R|P): (.*)$/u.exec(line) ?? []
      if (speaker === undefined || text === undefined) throw new Error(`Not a line of a script: ${line}`)
      return { turn: { role: speaker === "P" ? "agent" : "user", text }, discovers: speaker === "R?" }
    })

const fixture = (name: string, label: Label, script: string): Fixture => {
  const lines = parse(script)
  const keep = (filter: (line: (typeof lines)[number], index: number) => boolean): PracticeCall => ({
    transcript: lines.filter(filter).map(({ turn }) => turn)
  })
  return {
    name,
    label,
    call: keep(() => true),
    withoutDiscoveryQuestions: keep(({ discovers }) => !discovers),
    withoutDiscovery: keep(({ discovers }, index) => !discovers && lines[index - 1]?.discovers !== true)
  }
}

export const fixtures: ReadonlyArray<Fixture> = [
  fixture(
    "scheduling software for a clinic, handled with patience",
    "good",
    `
    R: Hi Dana, this is Marcus with Lumen Scheduling. Did I catch you at an okay time?
    P: I have a few minutes, what's this about?
    R: Thanks. The reason I'm calling is that we help dental clinics like yours cut no-shows, usually by a third within two months. I'd love to ask a few questions and see if that's even relevant for you.
    P: Okay, go ahead.
    R?: How do you handle appointment reminders today?
    P: The front desk calls everyone the day before. It takes Priya most of the morning, and half the time she leaves voicemails.
    R?: And what happens when somebody doesn't show up?
    P: The chair sits empty. We lose about two hundred dollars each time, and the hygienist is still on the clock.
    R?: How often does that happen in a normal week?
    P: Maybe eight or nine times. Mondays are the worst.
    R?: You mentioned Priya spends her mornings on the phone. What would she do with that time if she had it back?
    P: Insurance follow-ups. We're a month behind on those, to be honest.
    R?: Who else would be involved if you decided to change how reminders work?
    P: Me and Doctor Hale. He signs off on anything over a thousand a year.
    R: So it sounds like you're losing around seventeen hundred dollars a week in empty chairs, plus Priya's mornings. We text patients and let them confirm or rebook in two taps, and the gap is offered to your waiting list.
    P: That sounds nice, but it's probably too expensive for a clinic our size.
    R: I hear you, and it makes sense to be careful with that. When you say too expensive, what are you comparing it with?
    P: We pay forty dollars a month for the calendar we have.
    R: That's fair. It is a hundred and ninety a month. Brightsmile in Dayton, who have four chairs like you, recovered eleven visits in the first month, so it paid for itself in a week. Does that help put the price in perspective?
    P: It does. I'd want Doctor Hale to see those numbers though.
    R: Of course. Based on what you told me, the thing to show him is empty chairs on Mondays and Priya's mornings. Could we do twenty minutes on Thursday at 12:30, when you're both between patients?
    P: Thursday at 12:30 works for me.
    R: Great. I'll send the invite right now with the Dayton numbers, and could you bring last month's no-show count?
    P: Sure, I'll have it.
    R: Perfect. Thanks for your time, Dana, talk to you Thursday.
    P: Talk to you then.
    `
  ),
  fixture(
    "security training, decision maker elsewhere",
    "good",
    `
    R: Hi Tom, Elena here from Shieldwise. Is now a good time for a quick question?
    P: Depends on the question.
    R: Fair enough. I read that your company passed its audit in March, congratulations. I'm reaching out because we help IT managers get people through security training without chasing them, and I was curious how that goes for you.
    P: It's like herding cats.
    R?: Can you walk me through what you do when somebody hasn't finished the course?
    P: I email them. Then I email their manager. Then I give up.
    R?: How does that affect the next audit?
    P: They sample it. If we're under ninety percent it's a finding, and last time we were at ninety-one.
    R?: What would it mean for you personally to get a finding?
    P: A very long quarter.
    R?: It sounds like the margin is thin. What have you tried so far to push the number up?
    P: Gift cards. They worked for a week.
    R: Got it. We send two-minute lessons in chat, where people already are. Our average completion is ninety-seven percent, and the reminders are automatic.
    P: That's a good number. But it's not my decision, my director holds the budget.
    R: That makes sense, thank you for telling me. What does your director care most about when something like this comes up?
    P: Whether it replaces something. She hates adding tools.
    R: I appreciate that. It would replace the course licence and the tracking sheet, so it's one tool fewer, and two of our customers dropped their old platform in the first quarter. How does that sound?
    P: She might actually like that.
    R: Then I'd suggest a short call with the three of us. You said ninety-one percent was too close, so I'll prepare one page with your numbers against ours. Would next Monday at 10 work for you both?
    P: I'll check with her, but Monday at 10 should work.
    R: I'll put a tentative invite in for Monday at 10 and you can forward it to her. If she can't, we take Tuesday at the same time. Thanks a lot, Tom.
    P: Thanks, talk Monday.
    `
  ),
  fixture(
    "payroll for a restaurant group, two objections",
    "good",
    `
    R: Good morning, is this Mr. Alvarez? This is Joy from Tally Payroll. I know I'm calling out of the blue, do you have thirty seconds so I can tell you why, and then you decide whether we keep talking?
    P: Thirty seconds, fine.
    R: I appreciate it. I saw that you opened your fourth restaurant in May. We work with restaurant groups that outgrow their payroll, and owners typically save six hours per pay run.
    P: We already have a payroll provider.
    R: That's good to hear, and most of the owners I talk to do. May I ask what you like about them, and what you'd change if you could?
    P: They're reliable. But tips are a mess, my manager fixes them by hand every other Friday.
    R?: Tell me more about the tips. What does fixing them by hand look like?
    P: She exports from the till, pastes it in a sheet, and checks each server. Takes a whole afternoon.
    R?: What's the impact when something slips through?
    P: Somebody gets shorted and they're angry. We had two people quit over it last year.
    R?: Ouch. How are you thinking about that with a fourth location coming on?
    P: Honestly, I've been trying not to think about it.
    R: I understand. So if I heard you right, the provider is reliable, but tips cost you an afternoon each pay run and two people last year. We read tips from the till every night, so there's nothing to paste. Would that solve the part that bothers you?
    P: It would. But switching payroll in the middle of the year sounds like a nightmare, and we tried that before with another company.
    R: I can see why you'd be wary after that. What went wrong last time?
    P: The year-to-date numbers were off and nobody called us back.
    R: That's a legitimate worry. We run both systems side by side for one full pay period, and you only switch when they match to the cent. Thirty-one restaurants moved mid-year that way last year. Does that address the risk?
    P: Yeah, running them side by side would help.
    R: Good. Then how about this: on Tuesday at 3 I'll walk you and your manager through one pay run with your own till data. It takes 25 minutes.
    P: Tuesday at 3 is fine. She'll want to see it.
    R: Wonderful. I'll send a calendar invite today, and you'll get a short list of what to export. Thank you, Mr. Alvarez, I look forward to meeting you both.
    P: Alright, see you Tuesday.
    `
  ),
  fixture(
    "fleet tracking, short and solid",
    "good",
    `
    R: Hello Karen, my name is Ben, I'm calling from Roadlight. Have I caught you at a bad moment?
    P: I'm driving between sites but I can talk for a bit.
    R: I'll be brief. I'm calling because we help plumbing companies reduce fuel costs, by around fifteen percent on average, and I noticed you run about twenty vans.
    P: Twenty-two, yes.
    R?: What do you use today to know where the vans are?
    P: We call the guys. Or we look at the job sheet and hope.
    R?: What's the hardest part about working that way?
    P: Emergencies. A customer has water coming through the ceiling and I don't know who is closest.
    R?: How much do you think those delays cost you?
    P: We lose a couple of jobs a week to the other guys, easily. That's six hundred a job.
    R: So that's around five thousand a month going to whoever arrives first. Roadlight shows you the closest free van on one map, and the drivers need no app.
    P: My drivers won't like being watched.
    R: A lot of owners told us that in the beginning, it's a fair concern. What do you think would worry them most?
    P: That we check on their lunch breaks.
    R: Understood. You can switch tracking off outside of jobs, and we tell the drivers so in a ten-minute call. At Hartley Plumbing only one of eighteen drivers complained, and he now uses it to prove his overtime. Would that work for your crew?
    P: Probably, yes, if they hear it from you.
    R: Happy to do that. Can we set up a half-hour demo for Wednesday at 8 in the morning, before the vans go out?
    P: Wednesday at eight works.
    R: Great, I'll send you an invite, and I'll include the driver one-pager so you can share it. Thanks Karen.
    P: Okay, bye.
    `
  ),
  fixture(
    "coffee service, quick to the demo",
    "middling",
    `
    R: Hello, my name is Rita from Beanworks, do you have a minute?
    P: A quick one.
    R: Great. We deliver fresh coffee to offices, and we have helped companies save money compared to the coffee shop downstairs.
    P: We have a machine already, we're happy with it.
    R: I see, that's great. But our beans are fresher, and we clean the machine every two weeks, so you don't have to do it.
    P: The office manager cleans it. It's fine.
    R?: How many people are in your office?
    P: About sixty.
    R: Sixty people drink maybe a hundred and twenty cups a day. With us it's thirty cents a cup, and we take care of everything.
    P: Sounds like it's more than we pay now.
    R: It could be a bit more, but the quality is a lot higher, and people notice that.
    P: Maybe. I'm not sure it's a priority.
    R: Okay, I get that. Would you be open to a free tasting next week? We bring the machine for one day.
    P: A tasting could be fun.
    R: Nice, how about Wednesday at 10?
    P: Wednesday is okay.
    R: Great, I'll send you an invite. Thank you!
    P: Bye.
    `
  ),
  fixture(
    "accounting tool, friendly but no next step",
    "middling",
    `
    R: Hi, this is Paul from Ledgerly. How are you today?
    P: Fine, thanks. What can I do for you?
    R: I'm calling about your accounting. We help small shops save time on their books.
    P: Okay.
    R?: What are you using for your bookkeeping at the moment?
    P: A spreadsheet, and my cousin does the taxes.
    R?: And how is that working for you?
    P: It's okay. It's slow at the end of the quarter.
    R?: How long does it take you at the end of the quarter?
    P: A weekend, usually two.
    R: Yeah, that's a lot. So, Ledgerly connects to your bank and sorts everything into categories, and then your cousin can log in and download what he needs.
    P: Is it hard to set up?
    R: No, you connect the bank and it takes about ten minutes. Most people do it during lunch.
    P: Hm. I don't know, I don't have the budget for another subscription.
    R: I understand. It's only nineteen dollars a month, which is less than most people spend on coffee.
    P: I guess. I'd have to think about it.
    R: Sure, of course. Maybe I can send you some information and you take a look?
    P: Okay, send me something.
    R: Great, I'll email you the link. Let me know if you have any questions.
    P: Will do.
    R: Thanks, have a nice day.
    P: You too.
    `
  ),
  fixture(
    "printer leasing, argues and gives up",
    "bad",
    `
    R: Yeah hello, I'm calling about your printers.
    P: Who is this?
    R: From Printex. We lease printers, we're cheaper than everybody else.
    P: We don't really print much.
    R: Everybody prints. You just don't notice how much you spend.
    P: I do notice, I pay the bills. It's forty bucks a month.
    R: That can't be right. You don't know the real costs, toner and repairs and all of that.
    P: It includes toner.
    R: Well, ours is faster.
    P: We don't need a faster printer.
    R: You'd have to see it. It's really fast.
    P: Not interested, thanks.
    R: Okay, whatever. Bye then.
    `
  ),
  fixture(
    "marketing agency, one long pitch",
    "bad",
    `
    R: Hey, this is Chad, listen, I've got something that is going to completely change your business, we are the leading full-service omnichannel marketing agency with a proprietary AI-powered platform that leverages synergies between paid, owned and earned media, and we have won fourteen awards, we have offices in nine cities, our founder was on the cover of two magazines, and what we do is we take your whole brand and rebuild it from the ground up with a holistic, end-to-end, data-driven strategy that scales seamlessly, and that's before we even get to our influencer ecosystem, which is frankly unprecedented in this market.
    P: I'm in the middle of something, what is this about?
    R: It's about growth. Everybody needs growth. We have packages from bronze to platinum, and platinum includes the quarterly brand summit, the holistic content engine, and a dedicated growth pod of seven specialists who work on your account around the clock with our cutting-edge toolset.
    P: We're a two-person bakery.
    R: Perfect, that's exactly who needs this, because you're basically invisible right now and your competitors are eating your lunch, and trust me, you'd be crazy not to do something about that this quarter.
    P: We're sold out by noon every day. I don't need more marketing.
    R: That's just an excuse, with all due respect. Everyone says that until the competition shows up. You need to think bigger.
    P: How much does it cost?
    R: The platinum is nine thousand a month, but if you sign today I can give you twenty percent off.
    P: That's way too much money for us.
    R: It's not that expensive if you think about it. You have to spend money to make money.
    P: I'm going to hang up now.
    R: You're making a mistake. I'll call you later.
    `
  ),
  fixture(
    "insurance, nervous and vague",
    "bad",
    `
    R: Um, hi, sorry to bother you, I was just calling to, you know, see if you maybe have insurance for your business?
    P: We do, yes.
    R: Okay, um, great. So, we basically have, like, a lot of different policies, and I guess they're kind of better than most of what's out there, or something.
    P: What kind of policies?
    R: Well, um, liability, and sort of property, and I think we also do vehicles. I'm not really sure about vehicles, actually, I would have to check.
    P: We have all of that with our current insurer.
    R: Oh, okay. Um, maybe ours is cheaper though? I mean, it probably is, but I don't know what you pay.
    P: I'm happy with what we have.
    R: Right, yeah, I understand. Um, I could maybe try to get you a discount or something.
    P: No thanks, I'm not interested.
    R: Oh, okay, no problem. Maybe I can call you back sometime, if that's okay?
    P: Not necessary.
    R: Okay, um, sorry for taking your time. Bye.
    `
  ),
  fixture(
    "one-sided answers, hardly a call",
    "bad",
    `
    R: Hello?
    P: Hi, this is Sam. You wanted to tell me about your software?
    R: Yes.
    P: Okay. So what does it do?
    R: It manages projects.
    P: How is it different from what we use?
    R: It's newer.
    P: Hm. And what does it cost?
    R: I don't know, it depends.
    P: It sounds too expensive for us.
    R: Okay.
    P: So... anything else you want to tell me?
    R: No, not really.
    P: Alright, then have a good day.
    R: Bye.
    `
  )
]
