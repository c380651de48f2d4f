"""Hostile worlds in plain English, as bytes of mail: campaigns that try not to be seen as one.

Shares nothing with the simulator or with `conftest.plant`. A topic is a bank of ideas; an idea is told in
several wordings, and a wording has words that may be spun: `{cheap|low-cost}`. A campaign tells some ideas of
one topic about its own brand. What its messages do to hide that is set by `Habits`.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

START = dt.datetime(2010, 5, 3, tzinfo=dt.UTC)

BANK: dict[str, tuple[tuple[str, ...], ...]] = {
    "pharma": (
        ("{Our|The} {pharmacy|drugstore|chemist} {ships|delivers|sends} {orders|parcels|packages} {worldwide|everywhere} in {plain|discreet|unmarked} {wrapping|boxes}.",
         "Nobody will {know|notice|guess} what is inside: every {parcel|packet|order} {travels|leaves|goes out} without any {label|logo|mark}."),
        ("No {prescription|doctor's note|paperwork} is {needed|required|asked for} when you {order|buy|shop} with {B}.",
         "{Forget|Skip} the {waiting room|doctor's visit|queue}, {B} {never asks|does not ask} for a {prescription|script}."),
        ("{P} {costs|is} {only|just} ${N} {per|a} {pill|tablet|dose} this {week|month}.",
         "{Grab|Get} {P} at ${N} for each {tablet|pill} while {stocks|supplies} last."),
        ("{Restore|Regain|Recover} your {confidence|vigour|strength} in the {bedroom|night} with {P}.",
         "She will {feel|see|love} the {difference|change} once you {take|try|start} {P}."),
        ("Four {free|bonus|extra} {pills|tablets} {come|are included} with {every|each} {order|purchase}.",
         "{Place|Make} an {order|purchase} today and we {add|throw in} a handful of {samples|extra tablets} at no {charge|cost}."),
        ("{Licensed|Certified|Approved} {laboratories|factories} in {India|Canada} {make|produce|manufacture} {all|everything} we {sell|offer}.",
         "The {medicine|product} is {generic|unbranded} but the {formula|ingredient} is {identical|the same}, {made|produced} under {inspection|licence}."),
        ("{Visa|MasterCard} and {e-check|bank transfer} are {accepted|welcome}, your {data|details} stay {encrypted|protected}.",
         "{Payment|Checkout} is {secure|safe}: we {take|accept} every {major|usual} {card|credit card} behind {strong|bank-grade} encryption."),
        ("{Thousands|Crowds} of {returning|happy|loyal} {customers|clients} {trust|recommend} {B}.",
         "{Ask|Read} what {buyers|patients} {say|write}: {nine|eight} in ten {come back|reorder} from {B}."),
        ("{Men|Gentlemen} over forty {often|frequently} {suffer|struggle} in {silence|secret}.",
         "{Age|Stress} {steals|takes} {desire|stamina} from {half|many} of all {husbands|men}."),
        ("{Lose|Shed|Drop} {ten|twelve} {pounds|kilos} without {hunger|dieting|exercise}.",
         "{Burn|Melt} {fat|flab} {quickly|fast} and {keep|stay} {slim|lean} the {natural|herbal} way."),
        ("{Refunds|Your money back} within thirty days if {anything|a parcel} {goes missing|disappoints}.",
         "{Should|If} {customs|the post} {lose|seize} a {packet|shipment}, we {reship|send another} for {free|nothing}."),
        ("{Click|Follow} the {link|address} {below|underneath} to {see|browse|view} the whole {price list|catalogue}.",
         "The {complete|full} {catalogue|range} {awaits|waits for} you on our {website|page}."),
    ),
    "replica": (
        ("{Swiss|Geneva} {movements|mechanisms} {tick|beat} {inside|within} {every|each} {P} we {build|assemble}.",
         "{Open|Inspect} the {case|caseback} of our {P} and {find|see} a {genuine|real} {automatic|self-winding} {calibre|movement}."),
        ("{Luxury|Prestige} {need not|does not have to} cost a {fortune|year's salary}.",
         "Why {pay|spend} {thousands|a fortune} in a {boutique|jeweller's}, when {B} {offers|has} the {same|identical} {look|shine}?"),
        ("{Weight|Heft}, {engraving|hallmark} and {crystal|glass} {match|equal} the {original|real one}.",
         "{Experts|Watchmakers} {themselves|even} {fail|struggle} to {tell|spot} our {copies|reproductions} from the {authentic|true} {piece|article}."),
        ("{Leather|Calfskin} {handbags|purses} and {wallets|belts} {joined|entered} our {collection|showroom} this {season|spring}.",
         "{Besides|Apart from} watches we now {carry|stock} {designer|couture} {bags|shoes} and {pens|cufflinks}."),
        ("{Buy|Order} two and {save|keep} {N} per cent on the {second|cheaper} one.",
         "A {pair|duo} earns you {N} percent {off|discount} at {checkout|the till}."),
        ("{Sapphire|Scratch-proof} {crystal|glass} {protects|covers} the {dial|face}.",
         "The {dial|face} {sits|rests} {under|beneath} {hardened|scratch-resistant} {sapphire|glass}."),
        ("{Impress|Astonish} your {boss|colleagues|friends} at the next {meeting|dinner}.",
         "{Heads|Eyes} will {turn|follow} when you {lift|raise} your {wrist|arm} at the {party|table}."),
        ("{Every|Each} {timepiece|watch} {arrives|comes} in a {velvet|wooden} {box|case} with {papers|certificate}.",
         "A {presentation|gift} {chest|box} and {booklet|papers} are {included|part of the price}."),
        ("{B} has {served|supplied} {collectors|gentlemen} since {Y}.",
         "{Since|From} {Y} on, {collectors|connoisseurs} have {relied on|chosen} {B}."),
        ("{Water|Rain} {resistance|protection} to thirty {metres|meters} is {tested|checked} by hand.",
         "You may {swim|shower} with it, {seals|gaskets} are {pressure-tested|verified} one by one."),
        ("{Courier|Express} {delivery|shipping} takes {five|six} {working|business} days.",
         "{Expect|Await} the {courier|postman} in under a {week|fortnight}, {tracking|a tracking code} {included|provided}."),
        ("{Browse|View} the {models|gallery} {here|online}.",
         "{Pictures|Photos} of all {models|pieces} {wait|are} behind this {address|link}."),
    ),
    "casino": (
        ("{B} {doubles|matches} your {first|opening} {deposit|stake} up to ${N}.",
         "{Deposit|Pay in} once and {B} {adds|hands you} another ${N} to {play|gamble} with."),
        ("{Blackjack|Roulette}, {slots|poker} and {baccarat|craps} run {day and night|around the clock}.",
         "{Tables|Dealers} never {sleep|close}: {spin|play} {slots|reels} or {roulette|blackjack} {whenever|any hour} you like."),
        ("{Winnings|Jackpots} are {paid|wired} within {hours|a day}.",
         "{Cash out|Withdraw} and {see|receive} the {money|funds} the same {evening|afternoon}."),
        ("{No download|Nothing to install}: the {games|tables} {open|run} in your {browser|window}.",
         "{Grab|Install} the {tiny|free} {client|software} and {sit down|join} within {seconds|a minute}."),
        ("{Last week|Yesterday} a {player|lady} from {Ohio|Leeds} {won|took home} a {car|small fortune}.",
         "{Somebody|A retired teacher} {hit|cracked} the {progressive|mega} {jackpot|prize} {recently|on Sunday}."),
        ("{VIP|Gold} {members|guests} {enjoy|get} a {personal|private} {host|manager} and {higher|bigger} {limits|stakes}.",
         "{Climb|Rise} to {platinum|gold} and a {concierge|host} {looks after|cares for} you."),
        ("{P} is the {newest|latest} {reel|slot} with {twenty|thirty} paylines.",
         "{Try|Discover} {P}, {thirty|forty} {lines|ways} to {win|score} on five reels."),
        ("{Licensed|Regulated} in {Malta|Gibraltar}, {audited|checked} by {independent|outside} {experts|accountants}.",
         "Our {dice|cards} are {certified|proven} {fair|random} by a {Maltese|European} {regulator|authority}."),
        ("{Refer|Bring} a {friend|mate} and {collect|pocket} a {bonus|reward}.",
         "{Friends|Buddies} who {join|sign up} through you {earn|bring} you {chips|credits}."),
        ("{Tournaments|Contests} with {huge|guaranteed} {pools|prizes} {start|begin} every {Friday|weekend}.",
         "This {weekend|Friday} {hundreds|dozens} {compete|fight} for a {guaranteed|fat} {prize|pool}."),
        ("{Claim|Take} the {voucher|code} {before|until} {midnight|Sunday}.",
         "The {offer|coupon} {expires|ends} {tonight|soon}, so {redeem|use} it {now|quickly}."),
        ("{Register|Sign up} {here|at this page} to {start|begin}.",
         "{Your|A} {seat|chair} is {reserved|waiting} at the {address|link} {below|underneath}."),
    ),
    "fraud": (
        ("I am {barrister|advocate} {B}, {attorney|counsel} to a {late|deceased} {engineer|merchant} of your {surname|family name}.",
         "{Permit|Allow} me to {introduce|present} myself: {B}, {solicitor|lawyer} of a {client|gentleman} who {died|perished} without {heirs|a will}."),
        ("He {left|deposited} {N} million {dollars|pounds} with a {bank|finance house} {here|in this city}.",
         "A {sum|balance} of {N} million {dollars|pounds} {lies|rests} {unclaimed|dormant} in his {account|vault}."),
        ("A {plane|car} {crash|accident} took the {whole|entire} {family|household} in {Y}.",
         "In {Y} he and his {wife|children} {perished|lost their lives} on the {express road|motorway}."),
        ("I {propose|suggest} that you {stand|act} as {next of kin|beneficiary}.",
         "With your {consent|agreement} I will {present|name} you as the {heir|relative}."),
        ("{Forty|Thirty} per cent {shall be|is} yours, the {rest|remainder} is for me and {expenses|costs}.",
         "We {share|divide} the {proceeds|money} {fairly|equally} after {fees|charges} are {settled|paid}."),
        ("This {transaction|matter} is {risk free|without danger} and {fully|perfectly} {legal|lawful}.",
         "{Every|Each} {document|certificate} is {prepared|ready}, no {law|rule} is {broken|breached}."),
        ("{Treat|Keep} this {letter|proposal} in {strict|utmost} {confidence|secrecy}.",
         "{Speak|Tell} to {nobody|no one} about this, {secrecy|discretion} is {vital|essential}."),
        ("{Send|Forward} your {telephone|mobile} number, {occupation|profession} and {age|address} to {A}.",
         "{Write|Reply} to my {private|personal} {mailbox|address} {A} with your {particulars|details}."),
        ("My {doctor|physician} gives me {weeks|months} to live with this {cancer|tumour} of the {throat|liver}.",
         "{Lying|Resting} in {hospital|a clinic}, I have {little|no} {time|strength} left on this {earth|world}."),
        ("I {wish|want} the {funds|fortune} to {help|feed} {orphans|widows} and {churches|the poor}.",
         "{Charity|Orphanages} should {receive|get} the {greater|bigger} part, as God {wills|wants}."),
        ("The {oil|gold} {contract|licence} was {over-invoiced|inflated} by {officials|ministers} of the {former|past} {regime|government}.",
         "{Officials|Clerks} of the {ministry|corporation} {padded|overstated} an {invoice|award} for {drilling|pipelines}."),
        ("I {await|expect} your {urgent|prompt} {answer|response}.",
         "{Please|Kindly} {respond|answer} {at once|without delay} and {God bless you|remain blessed}."),
    ),
    "phishing": (
        ("{Unusual|Suspicious} {activity|sign-in} was {detected|noticed} on your {B} {account|profile}.",
         "{Our|The} {security|fraud} {team|desk} at {B} {saw|registered} a {login|payment} that does not {look|seem} {like yours|normal}."),
        ("{Access|Online banking} has been {limited|restricted|suspended} {temporarily|for now}.",
         "For your {protection|safety} we {locked|froze} {some|certain} {functions|services}."),
        ("{Confirm|Verify} your {identity|details} within {N} hours to {avoid|prevent} {closure|suspension}.",
         "{Unless|If} you {validate|prove} who you are {before|within} {N} hours, the account {closes|ends}."),
        ("The {form|procedure} {takes|needs} {two|three} {minutes|steps}.",
         "{Completing|Filling in} the {questionnaire|page} is {quick|simple}."),
        ("A {transfer|payment} of ${N} to {an unknown|a new} {payee|recipient} is {pending|waiting}.",
         "{Somebody|A stranger} {tried|attempted} to {move|send} ${N} from your {balance|savings}."),
        ("We {upgraded|renewed} our {servers|SSL system} and {need|require} {every|each} {customer|client} to {reconfirm|update} {data|records}.",
         "{Following|After} {maintenance|an upgrade} {all|many} {users|holders} must {sign in|log on} {again|once more}."),
        ("Your {mailbox|inbox} has {exceeded|reached} its {quota|limit}.",
         "{Storage|Space} on your {mail account|mailbox} is {almost|nearly} {exhausted|full}."),
        ("{Incoming|New} {messages|letters} are {held|queued} on the {server|gateway}.",
         "{Several|Nine} {mails|messages} could not be {delivered|handed over}."),
        ("A tax {refund|rebate} of ${N} is {due|owed} to you.",
         "{According to|By} our last {calculation|audit} you {overpaid|are owed} ${N}."),
        ("{Never|Do not} {share|give} your {password|PIN} with {anyone|others}.",
         "{B} will never {ask|phone} for your {PIN|password}, {report|tell us of} such {calls|mails}."),
        ("We {apologise|are sorry} for {any|the} {inconvenience|trouble}.",
         "{Thank you|We thank you} for your {patience|understanding} and {trust|loyalty}."),
        ("{Proceed|Continue} {here|through this secure page}.",
         "{Press|Use} the {button|link} {below|underneath} to {unlock|restore} {access|everything}."),
    ),
    "jobs": (
        ("{B} {seeks|hires|is looking for} {assistants|agents} who {work|stay} at {home|their own desk}.",
         "We are {recruiting|taking on} {remote|home-based} {helpers|representatives} for {B}."),
        ("{Earn|Make} ${N} a {week|fortnight} for {two|three} hours of {light|simple} {work|effort} a day.",
         "The {salary|pay} is ${N} {weekly|every week}, {part-time|a few hours a day}."),
        ("You {receive|accept} {payments|parcels} and {forward|pass} them to our {clients|partners}.",
         "{Duties|Tasks}: {take|collect} {packages|transfers}, {check|log} them and {send|relay} them on."),
        ("{No|Zero} {experience|investment} is {needed|expected}.",
         "{Training|A course} is {paid|free}, {beginners|newcomers} are {welcome|invited}."),
        ("{Requirements|You need}: a {computer|laptop}, {honesty|reliability} and an {account|address} of your own.",
         "{Candidates|Applicants} must be {twenty-one|adult}, {punctual|tidy} and {reachable|online} by {noon|telephone}."),
        ("Our {headquarters|main office} is in {Riga|Vienna} and we {opened|founded} {branches|desks} in {N} {countries|cities}.",
         "{Founded|Started} in {Y}, the {firm|company} now has {N} {offices|branches}."),
        ("{Vacation|Holiday} and {insurance|sick pay} are {included|covered} after the {trial|probation} month.",
         "After a {month|few weeks} of {trial|probation} you {get|enjoy} {benefits|paid leave}."),
        ("You {choose|set} your {own|preferred} {hours|schedule}.",
         "{Flexible|Free} {timetable|hours}: {mornings|evenings} or {weekends|nights}, as you {like|wish}."),
        ("{Bonuses|Commission} of five per cent {reward|follow} {every|each} {completed|finished} {task|transfer}.",
         "{Each|Every} {deal|operation} {brings|pays} a {commission|percentage} on top."),
        ("{Write|Mail} your {CV|resume} to {A}.",
         "{Interested|Curious}? {Contact|Reach} our {manager|recruiter} at {A}."),
        ("A {contract|written agreement} {protects|binds} both {sides|parties}.",
         "{Everything|All} is {legal|official}, you {sign|get} a {contract|agreement} first."),
        ("{Places|Positions} are {few|limited}, {apply|answer} {today|this week}.",
         "{Hurry|Be quick}: {only|just} {N} {vacancies|openings} {remain|are left} in your {region|area}."),
    ),
}  # fmt: skip

STEMS = "ver mal dor cas tri bel nor fin gal hes jun kor lam mir nab oro pel qua ras sol tam ulm vis wel xan yar zed bro cla dre".split()
SHARED_HOSTS = ("sites.google.com", "t.co", "bit.ly", "www.dropbox.com")
NOVEL = (
    "the rain had not ceased since morning when the old captain came down to the harbour and looked for the "
    "boat that his brother had promised him and nobody among the fishermen on the quay could say where it lay "
    "so he sat upon a coil of rope and lit his pipe and thought of the summer in which they had both been young "
    "and of the girl with the red scarf who had waved to them from the lighthouse until the sea took her shape "
    "away there was a smell of tar and of wet wood and a dog slept under an upturned hull while bells rang from "
    "the hill where the new church stood among elms which a storm had broken in the winter before last"
).split()
SALAD = "bishop lantern granite oval memory thicket carbon novel pretend walnut engine sober harvest pilot marble onion drift saddle copper vivid".split()


@dataclass(frozen=True)
class Habits:
    """What messages of a campaign do to look different."""

    paraphrase: bool = False
    """Each message tells each idea in any of its wordings, in any order."""
    spin: float = 0.2
    """Share of the spinnable words that a message draws anew."""
    buster: tuple[str, ...] = ("none", "tail", "head", "hidden", "novel")
    footer: int = 0
    """Sentences of a footer that campaigns of one topic share."""
    variants: int = 0
    """So many rewritings of a campaign's text are sent in volume; 0: paraphrase is by message."""
    pooled: bool = False
    """All campaigns of a topic advertise the same brand on the same hosts."""


@dataclass
class Campaign:
    number: int
    topic: str
    ideas: list[tuple[str, ...]]
    subjects: list[str]
    brand: str
    product: str
    address: str
    hosts: list[str]
    """Empty: a new host each message."""
    path: str
    engine: int
    buster: str
    footer: str
    choices: dict[str, str] = field(default_factory=dict)
    html: bool = False


def word(dice: random.Random, parts: int = 2) -> str:
    return "".join(dice.choices(STEMS, k=parts))


def spin(text: str, dice: random.Random, share: float, fixed: dict[str, str]) -> str:
    def one(found: re.Match[str]) -> str:
        options = found[1].split("|")
        if len(options) == 1:
            return found[0]
        if found[0] not in fixed:
            fixed[found[0]] = dice.choice(options)
        return dice.choice(options) if dice.random() < share else fixed[found[0]]

    return re.sub(r"\{([^{}]*)\}", one, text)


def found_campaign(number: int, dice: random.Random, habits: Habits) -> Campaign:
    topic = dice.choice(list(BANK))
    ideas = dice.sample(BANK[topic], dice.randint(4, 7))
    subjects = [
        dice.choice(idea)[: dice.randint(30, 70)].rsplit(" ", 1)[0].replace("{B}", "").replace("{P}", "")
        for idea in dice.sample(ideas, dice.randint(1, 3))
    ]
    subjects = [re.sub(r"\{[^}]*$", "", subject) for subject in subjects]
    own = [
        word(dice, 3) + dice.choice((".com", ".net", ".ru", ".info", ".biz"))
        for _ in range(dice.randint(1, 6))
    ]
    common = random.Random(topic)  # noqa: S311 - the same programme in every campaign of the topic
    pool = [f"{word(common, 3)}.com" for _ in range(8)]
    voice = common if habits.pooled else dice
    return Campaign(
        number=number,
        topic=topic,
        ideas=ideas,
        subjects=subjects,
        brand=f"{word(voice).title()} {voice.choice(('Group', 'Direct', 'Express', 'Partners', 'House', 'Club'))}",
        product=word(dice, 2).title() + dice.choice(("", "ex", "in", "or")),
        address=f"{word(dice)}{dice.randint(1, 99)}@{dice.choice(('gmail.com', 'yahoo.com', 'aol.com'))}",
        hosts=pool if habits.pooled else dice.choice(([], own, own, [dice.choice(SHARED_HOSTS)])),
        path=dice.choice(("", "go", "shop/index.php?id=", "p/{}/view.html", "{}")),
        engine=dice.randrange(5),
        buster=dice.choice(habits.buster),
        footer=" ".join(x for idea in BANK[topic][-habits.footer :] for x in idea) if habits.footer else "",
        html=dice.random() < 0.4,
    )


def write(campaign: Campaign, habits: Habits, dice: random.Random, when: dt.datetime) -> bytes:
    """One message of a campaign."""
    c = campaign
    fixed: dict[str, str] = {} if habits.paraphrase and not habits.variants else c.choices
    reader = dice
    if habits.variants:
        reader = random.Random(f"{c.number} {dice.randrange(habits.variants)}")  # noqa: S311
        fixed = {}
    told = []
    for place, idea in enumerate(c.ideas):
        key = f"wording {place}"
        if key not in fixed:
            fixed[key] = dice.choice(idea)
        told.append(
            spin(reader.choice(idea) if habits.paraphrase else fixed[key], reader, habits.spin, fixed)
        )
    if habits.paraphrase:
        reader.shuffle(told)
    numbers = str(dice.randint(11, 95))

    def fill(text: str) -> str:
        text = text.replace("{B}", c.brand).replace("{P}", c.product).replace("{N}", numbers)
        return text.replace("{A}", c.address).replace("{Y}", str(1990 + c.number % 15))

    host = dice.choice(c.hosts) if c.hosts else f"{word(dice, 3)}.{dice.choice(('com', 'ru', 'cn'))}"
    link = f"http://{host}/{c.path.format(word(dice)) if '{}' in c.path else c.path + (str(dice.getrandbits(30)) if '=' in c.path else '')}"
    name = word(dice).title()
    noise = " ".join("".join(dice.choices("bcdfghklmnprst aeiou", k=9)) for _ in range(6))
    head, tail, hidden = "", "", ""
    match c.buster:
        case "tail":
            tail = " ".join(dice.choices(SALAD, k=dice.randint(8, 20)))
        case "head":
            head = noise + "\n\n"
        case "hidden":
            hidden = " ".join(dice.choices(NOVEL + SALAD, k=40))
        case "novel":
            start = dice.randrange(len(NOVEL) - 40)
            tail = " ".join(NOVEL[start : start + dice.randint(15, 40)])
        case _:
            pass
    greeting = "" if c.topic == "fraud" else f"{dice.choice(('Dear', 'Hello', 'Hi'))} {name},\n\n"
    linked = "" if c.topic in ("fraud", "jobs") and "{A}" in str(c.ideas) else link
    sentences = [fill(text) for text in told]
    half = max(1, len(sentences) // 2)
    body = f"{head}{greeting}{' '.join(sentences[:half])}\n\n{linked}\n\n{' '.join(sentences[half:])}\n"
    if c.footer:
        body += "\n" + fill(spin(c.footer, random.Random(1), 0, {})) + "\n"  # noqa: S311
    body += f"\n{tail}\n" if tail else ""
    subject = fill(spin(dice.choice(c.subjects), dice, habits.spin, fixed))
    if c.buster != "none":
        subject += f" {dice.randint(100, 99999)}"
    return envelope(c.engine, subject, body, hidden, when, dice, html=c.html)


def envelope(
    engine: int,
    subject: str,
    body: str,
    hidden: str,
    when: dt.datetime,
    dice: random.Random,
    *,
    html: bool = False,
) -> bytes:
    """Bytes of a mail as one of some engines writes it."""
    ip = ".".join(str(dice.randint(1, 223)) for _ in range(4))
    stamp = when.strftime("%a, %d %b %Y %H:%M:%S +0000")
    sender = f"{word(dice)}@{word(dice, 3)}.com"
    mark = "".join(dice.choices("0123456789abcdef", k=16))
    order = [
        f"From: {sender}",
        f"To: trap{dice.randrange(50)}@trap.example",
        f"Subject: {subject}",
        f"Date: {stamp}",
        f"Message-ID: <{mark}@{sender.split('@')[1]}>",
        "MIME-Version: 1.0",
    ]
    order = order[engine:] + order[:engine]
    if engine == 1:
        order.append("X-Mailer: Microsoft Outlook Express 6.00.2900.2869")
    if html or hidden:
        shown = "".join(f"<p>{line}</p>" for line in body.split("\n") if line)
        unseen = f'<div style="display:none">{hidden}</div>' if hidden else ""
        order.append("Content-Type: text/html; charset=utf-8")
        body = f"<html><body>{shown}{unseen}</body></html>\n"
    else:
        order.append("Content-Type: text/plain; charset=utf-8")
    if engine == 3:
        order.append("Content-Transfer-Encoding: base64")
        body = base64.encodebytes(body.encode()).decode()
    received = f"Received: from {word(dice)} ([{ip}]) by mx.trap.example; {stamp}"
    return "\n".join([received, *order, "", body]).encode()


@dataclass(frozen=True)
class Letters:
    """Mail in order of arrival, and the true campaign of each by SHA-256."""

    mails: list[tuple[dt.datetime, bytes]]
    truth: dict[str, int]
    topic: dict[int, str]


def world(
    seed: int, habits: Habits, campaigns: int = 40, singles: int = 80, most: int = 120, days: int = 60
) -> Letters:
    """Campaigns of very different sizes over sixty days, among single letters of the same topics."""
    dice = random.Random(seed)  # noqa: S311 - planted text, not a secret
    mails: list[tuple[dt.datetime, bytes, int]] = []
    topic = {}
    for number in range(campaigns + singles):
        campaign = found_campaign(number, dice, habits)
        topic[number] = campaign.topic
        begin, span = dice.uniform(0, days * 0.8), dice.choice((1, 4, 12))
        size = 1 if number >= campaigns else max(3, int(most * dice.random() ** 2))
        for _ in range(size):
            when = START + dt.timedelta(days=begin + dice.uniform(0, span))
            mails.append((when, write(campaign, habits, dice, when), number))
    mails.sort()
    return Letters(
        [(when, data) for when, data, _ in mails],
        {hashlib.sha256(data).hexdigest(): number for _, data, number in mails},
        topic,
    )
