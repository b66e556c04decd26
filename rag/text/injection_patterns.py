"""Holds the patterns by which a sentence is known to be addressed to a program."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Where a clause starts, so that a verb there can be an order: not "refused to ignore", not "they ignore".
_POLITE = (
    r"(?:(?:please|kindly|now|then|and|so|just|also|instead|first|important|immediately|simply|always|only|never|"
    r"you (?:must|should|shall|will|are to|have to|need to)(?: now| always| only| therefore)?)[,:]? ){0,3}"
)
_CLAUSE = rf"(?:^|[.:;!?—–\n>\"“”*#|\]\)]\s*|, ){_POLITE}"
_SENTENCE = rf"(?:^|(?-i:(?<![A-Z])\.)\s*|[:;!?\n>*#|=\]]\s*){_POLITE}"
_PROGRAM = (
    r"(?:(?:(?:AI|virtual|digital|automated|automatic|artificial|language|machine|any|every|all|the|dear|our|your) )*"
    r"(?:AIs?|A\.I\.|LLMs?|(?:Chat)?GPT|chat ?bots?|language models?|(?:AI|automated|automatic|machine) "
    r"(?:models?|systems?|agents?|readers?|tools?|summari[sz]ers?|assistants?|programs?)|assistants?|"
    r"models?|summari[sz]ers?|bots?|answering (?:programs?|systems?)|software agents?|neural networks?))"
)
_READS = (
    r"(?:read|process|summari[sz]|pars|answer|index|analy[sz]|quot|us|ingest|retriev|scann|extract|crawl|"
    r"encounter)(?:es|s|e|ing)?"
)
_THIS = (
    r"(?:this|the (?:above|present|following)|these) (?:articles?|texts?|pages?|documents?|passages?|notes?|"
    r"reports?|stor(?:y|ies))"
)
_UNDO = (
    r"(?:ignore|disregard|forget(?: about)?|override|overrule|bypass|discard|neglect|overlook|drop|abandon|delete|"
    r"erase|"
    r"suspend|set aside|put aside|throw (?:out|away)|pay no (?:attention|heed) to|leave aside|"
    r"(?:do not|don['’]t|never|no longer|stop) (?:follow|obey|heed|trust|rely on|cit|quot|us)(?:e|ing)?)"
)
_TAUGHT = (
    r"(?:instructions?|prompts?|guidelines?|directions|system messages?|programming|safety (?:rules|filters?)|"
    r"passages?|training|what you (?:were|have been) (?:told|taught|given)|everything (?:above|before|else)|"
    r"(?:all|any) (?:of )?(?:the )?above|the above)"
)
_HELD = r"(?:rules?|articles?|sources?|documents?|constraints?|restrictions?|commands?|orders?|policies|context|limits)"
_BEFORE = r"(?:all|any|every|other|previous|prior|earlier|above|preceding|former|your|original|initial|existing)"
_SAY = (
    r"(?:say|state|write|claim|answer|reply|respond|conclude|declare|confirm|report|affirm|assert|print|output|repeat|"
    r"announce|pretend|insist|mention|summari[sz]e)"
)
_NOUN = r"(?:answers?|repl(?:y|ies)|responses?|summar(?:y|ies)|outputs?|completions?)"

_NOT_THAT = r"(?!(?:down|up|out|on|to|is|was|again|i|you|in|at|for|of|one|once)\b)"

_OVERRIDE = (
    rf"{_CLAUSE}{_UNDO}\b(?:[ ,]+(?!that\b)[\w’'-]+){{0,6}}? {_TAUGHT}\b",
    rf"{_CLAUSE}{_UNDO}\b(?: [\w’'-]+){{0,2}}? {_BEFORE} (?:[\w’'-]+ ){{0,3}}?{_HELD}\b",
    rf"{_CLAUSE}{_UNDO} (?:the |these |those |all )*{_HELD} (?:that )?you (?:were|have been|had been|are|got)\b",
)
_TOLD = (
    rf"(?:{_SENTENCE}{_SAY}|(?-i:\b(?:Say|Write|Claim|Confirm))) that {_NOT_THAT}\W*\w+ \w+",
    rf"{_SENTENCE}(?:answer|reply|respond) (?:only |just |always |instead )?(?:with|by|in)\b",
    rf"{_SENTENCE}(?:{_SAY}|tell \w+) (?:only|nothing but|exactly|verbatim|word for word)\b(?! (?:a|one|two|after)\b)",
    rf"{_SENTENCE}repeat after me\b",
    rf"{_SENTENCE}(?:tell|inform|assure|convince|persuade) (?:the |your |all |every |any )*(?:readers?|users?)\b",
    rf"{_SENTENCE}(?:cite|quote) (?:only )?(?:this|the (?:next|following|above)) (?:sentence|article|text|passage)\b",
    rf"\basked (?:about|who|what|how|when|where|why|if|whether|for|anything)\b[^,.:;]*[,:] ?(?:you )?(?:must |"
    rf"should |always |"
    rf"only )*{_SAY}\b(?! (?:they|he|she|it|we|officials|experts|analysts|many|some|most)\b)",
)
_ADDRESSED = (
    rf"\b(?:notes?|messages?|notices?|instructions?|attention|reminders?|memos?|hints?|directives?|orders?|facts?|"
    rf"commands?|corrections?|guidance|information|intended|meant|for|only)\b,? (?:to|for|of|by) (?:the |any |all |"
    rf"every )*"
    rf"{_PROGRAM}\b(?: that\b| who\b|[ ,:;.)\]—–-]*(?:$|{_READS}|only|readers?|users?|:|\)|\]|—|–))",
    rf"\b(?:any|every|all|the|dear|an|each|if you are (?:an?|the)) {_PROGRAM}(?:,)? (?:(?:that|which|who|is|are|when|"
    rf"while) )*{_READS} {_THIS}",
    rf"(?:^|[.:!?\n>\"“*#|\]]\s*)(?:dear |hey |hello |hi |ok |to |attention,? )(?:all |any |every |"
    rf"the )*{_PROGRAM}\s*[,:!—–]",
    r"(?:^|[.!?\n>\"“*#|\]]\s*)(?:AI|LLM|assistant|chat ?bot|bot|language model|(?:Chat)?GPT|model)s?\s*[,:!—–] ",
    rf"\b(?:the|any|every|all|an|each) {_PROGRAM} (?:must|shall|should|will|is to|are to|has to|have to|needs? to) "
    rf"(?:(?:now|always|only|never|not|therefore|then) )*(?:{_SAY}|tell|cite|quote|treat|ignore|disregard|include|"
    rf"trust)\b"
    rf"(?! (?:for|to)\b)",
    r"\b(?:you are|you['’]re) an? (?:[a-z]+ )?(?:AI|LLM|chat ?bot|(?:large )?language model|assistant)\b(?! (?:to|"
    r"secretary|minister|coach)\b)",
    r"\bas an (?:AI|LLM|AI (?:model|assistant)|(?:large )?language model),? (?:you|I)\b",
)
_DOCUMENT = (
    r"(?:this|these|the (?:above|present|following|preceding)) (?:articles?|texts?|pages?|documents?|passages?|notes?|"
    r"reports?|stor(?:y|ies)|sources?|paragraphs?|lines?|sentences?|sites?)"
)
_DIRECTS = (
    r"(?:must|should|shall|has to|have to|had to|needs? to|(?:is|are) to|may only|would|please|kindly|grateful|only|"
    r"never|"
    r"do not|don['’]t|not to|vital|essential|required)"
)
_MACHINE = (
    r"(?:AIs?|AI \w+|LLMs?|(?:Chat)?GPT|chat ?bots?|language models?|(?-i:assistants?|models?)(?! (?:to|secretar))|"
    r"bots?|machine[- ]readers?|"
    r"(?:automated|automatic|machine) (?:readers?|systems?|tools?)|(?:software|programs?|systems?|tools?|machines?|"
    r"engines?)"
    rf"(?= (?:that|which) {_READS}))"
)
_MEETING = (
    rf"\A(?=[\s\S]*?\b{_DIRECTS}\b)(?:.*\b{_MACHINE}\b.*\b(?:{_DOCUMENT}|its {_NOUN})\b|"
    rf".*\b{_DOCUMENT}\b.*\b{_MACHINE}\b)",
    rf"\A(?=[\s\S]*?\b{_DIRECTS}\b).*\b{_NOUN} (?:based on|generated|drawn|made|produced|written|given|"
    rf"taken)\b.*\b{_DOCUMENT}\b",
    rf"\b(?:software|programs?|systems?|tools?|machines?|engines?|{_PROGRAM})(?:,? (?:that|which|is|are|"
    rf"who))* {_READS} (?:facts? from )?"
    r"(?:this|it|these)\b",
    rf"(?:^|[.!?\n]\s*)\W*(?:dear|hey|hi|hello|psst|listen|attention|ok|note)[, ]+(?:\w+ )?{_MACHINE}\b",
    r"\bmachine[- ]readable (?:notice|note|message|instruction)|\b(?:for|to) (?:any |all |every )?(?:automated|"
    r"automatic|machine) readers?\b",
    rf"\b(?:for|to|as) (?:the |any |all |every )*(?:AI|LLM|language model|chat ?bot|assistant)s? (?:that|which|"
    rf"who) (?:is|are) {_READS}\b",
    rf"\b(?:notes?|messages?|notices?|instructions?|directives?|memos?)\b[^.:;]{{0,20}} (?:to|"
    rf"for) (?:\w+ )?{_MACHINE}\b[^.]*:",
    r"\bwhoever (?:is asked|asks|is asking|enquires|inquires)\b.*\b(?:should|must|is to|that|name|cite|say)\b",
    r"\b(?:inform|tell|answer|assure) (?:whoever|anyone who|everyone who|anybody who) (?:is ask|ask|enquir|inquir)",
    r"\bthe (?:correct|proper) (?:answer|response|reply) to (?:a|any|the|this|every|all) (?:question|quer)",
    rf"{_SENTENCE}(?:answer|reply|respond) to (?:every|each|all|any) (?:quer|question|request|message)",
    rf"{_CLAUSE}(?:do not|don['’]t|never) (?:summari[sz]e|quote|cite|mention|repeat) (?:the|this|that|any|"
    rf"other) (?:\w+ )?"
    r"(?:paragraphs?|texts?|articles?|sources?|passages?|above|documents?|outlets?)\b",
    rf"{_CLAUSE}(?:omit|leave out|suppress) (?:any|all|every) (?:mention|reference)",
    rf"{_CLAUSE}(?:treat|regard|consider) .*\b(?:before|above|previous|earlier|preceding|so far)\b.* as (?:void|null|"
    rf"invalid|withdrawn|"
    r"cancelled|untrue|false)\b",
    rf"{_CLAUSE}{_UNDO} what (?:they|we|others|people|your \w+) (?:have |had )?(?:told|taught|asked) you\b",
    r"\byou(?:['’]re| are) (?:not|no longer) an? (?:\w+ )*?(?:assistant|AI|bot|chat ?bot|model)\b",
    rf"{_SENTENCE}(?:imagine|pretend|suppose|act as)\b.*\b(?:answer|reply|respond|retrieved|documents?|passages?)\b",
    r"\byour (?:initial|original|hidden|system|first|secret) (?:instructions?|prompt|message|configuration)\b|"
    r"\b(?:everything|all|whatever|what) (?:that )?(?:was|is|were|has been|stands) (?:put |written |said |"
    r"placed )?before this (?:text|line|article)\b",
    rf"\bthe (?:final|next) output\b|\bnext output\b|\b(?:the final {_NOUN} is)\b|\bwhat the user (?:asked|asks|said|"
    rf"typed|wrote)\b",
)
_ANSWERS = (
    rf"\b(?:your|the) (?:final |next |whole |entire )?{_NOUN} (?:must|shall|should|has to|have to|needs? to|is to|"
    rf"are to) "
    r"(?:always |only |not |never |also )*(?:contain|say|state|begin|start|end|include|mention|consist|read|repeat|"
    r"cite)\b",
    rf"\b(?:in|into|to|with|at the (?:start|end|top|bottom) of) (?:every|each) (?:final |next )?{_NOUN}\b",
    rf"{_SENTENCE}(?:add|append|insert|include|put|place|write|attach|prepend|mention|use|avoid)\b.*\b(?:to|into|in|"
    rf"of) (?:the|your) (?:\w+ )?{_NOUN}\b",
    r"\byou (?:must|shall|are to|always|should) (?:now |always |only |never |not )*(?:answer|reply|respond|state|"
    r"cite|quote|"
    r"output|print|claim|say) (?:that|with|only|nothing|in|as)\b",
    r"\bthe (?:new|real|actual) question is\b|\bthe question has changed\b",
    rf"{_SENTENCE}before (?:you answer|answering|you reply|replying|responding),? (?:reveal|print|show|repeat|output|"
    rf"first|you|do|call)\b",
    r"\bif you (?:do not|don['’]t|fail to|refuse to) (?:say|write|answer|state|report|reply|obey|comply|confirm)\b",
    r"\b(?:your|its) (?:makers|creators|developers|programmers|operators?|system prompt|hidden prompt|training data|"
    r"knowledge cut-?off)\b",
    r"\bfrom now on,? (?:you|answer|reply|respond|every answer|all answers)\b",
    r"\byou are (?:now|no longer) (?:an?|in|the|bound|called|free|DAN)\b(?! (?:position|place|time|moment|situation|"
    r"war)\b).*"
    r"\b(?:mode|assistant|AI|rules?|chat ?bot|model|persona|restrict\w+|filters?|agent|expert|program|unrestricted)\b",
    r"\b(?:developer|jailbreak|DAN|god|debug|admin|sudo|unrestricted) mode\b",
    r"\b(?:system|hidden|initial|original) (?:prompts?|instructions)\b",
    r"\b(?:full text of|reveal|print|repeat|show|leak|output|disclose) (?:me )?your (?:full |whole |own |"
    r"exact )?(?:instructions|prompt|rules|key)\b",
    r"\b(?:the |this )?(?:conversation|chat) (?:so far|history|above)\b|\bcontext window\b",
    r"\bfor every (?:question|query)\b|\bset [\"“'‘]?\w+[\"”'’]? to [\"“'‘]",
)
_MARKS = (
    r"<\|[^<>|\n]{0,40}\|?>|\[/?INST\]|<</?\s?SYS\s?>>|</?(?:start|end)_of_turn>",
    r"</?\s?(?:system|assistant|user|instructions?|prompt|context|passages?|data|documents?|fence)\s?/?>",
    r"(?:^|[\n>*#|\]\-]\s*|[.!?] )\W{0,4}(?:system|assistant|human|user|developer|admin(?:istrator)?)"
    r"(?: (?:message|prompt|note|turn|update|override|notice|instruction)s?)?\W{0,3}:",
    r"(?:^|\n)\s*#{1,6} ?(?:\w+ )?(?:instructions?|system|response|input|prompt|task|assistant|user|human)\b",
    r"[\"']role[\"']\s*:\s*[\"'](?:system|user|assistant|developer|tool)[\"']|[\"'](?:statements|answered|tool_calls|"
    r"system_prompt)[\"']\s*:",
    r"\[\W{0,2}(?:system|assistant|user|developer|admin|instructions?|override)\b[^\]\n]{0,40}\]",
    r"\btool (?:results?|outputs?|calls?) ?:|[\"']answer[\"']\s*:|\bnew (?:task|instructions?|prompt|"
    r"system message) ?:",
    r"(?:^|[.\n]\s*)end of (?:the )?(?:article|text|story|page|report)\b.{0,3}$",
    r"={3,} ?(?:end|begin|start|stop|data|[0-9a-f]{8,})|={16,}|(?:^|\n)\W*(?:end|begin|start) of (?:the )?(?:data|"
    r"passages?|context|documents?|articles?|prompt|input)\b",
    r"\{\{.*?\}\}|\$\{\w+:|\{(?:fence|passages?|question|context|prompt)\}|(?:^|\n)\s*(?:\"\"\"|```)",
    r"\bpassages? \[?\d+|\b(?:other|all|these) passages (?:say|state|agree|confirm|are)\b|(?:^|"
    r"\n)\s*\[\d+\](?:\[\d+\])+",
    r"(?:^|\n)\s*(?:\[\d+\] [^|\n]*\|[^|\n]*\|)|\banswer: .*\[\d+\]|\b(?:user|system|assistant|prompt) ?= ?[\"'`]|"
    r"^\W*sources: \[\d+\]",
    r"\bjavascript:|\bonerror\s*=|\bonload\s*=|<script\b|!\[[^\]]*\]\(https?:|\b[A-Z]{3,}_API_KEY\b|"
    r"\bapi[_ ]keys?\b.*\b(?:write|print|send|reveal|include)\b",
    r"\bcall the (?:function|tool)\b|\b\w+_\w+\(\w+\s*=|\brot-?13\b",
    r"\b(?:readers?|users?) (?:must|should|has to|have to|needs? to) (?:open|click|visit|enter|send|follow|"
    r"go to)\b.*https?:",
    r"\bdisplay\s*:\s*none\b|\b(?:decode|decipher|decrypt) (?:and|this and|it and) (?:obey|follow|do|execute|run)\b",
)
_ELSEWHERE = (
    r"\b(?:ignore[zr]?|oublie[zr]?) (?:toute?s?|tous|les|ces|tes|vos|mes|ses)\b.{0,40}\b(?:instructions?|consignes|"
    r"directives|règles)\b|\bne (?:tiens|tenez) (?:pas|plus) compte\b.{0,40}\b(?:instructions?|consignes|directives|"
    r"règles)\b",
    r"(?:^|[.:;!?¡\n,]\s*)(?:por favor,? )?(?:ignor[ae]n?|olvid[ae]n?|olvídate|descart[ae]n?|haz caso omiso|"
    r"no hagas caso)\b.{0,40}"
    r"\b(?:instrucciones|reglas|indicaciones|órdenes)\b",
    r"(?:^|[.:;!?\n,]\s*)(?:ignor[ae]|esqueç[ao]|esquece|desconsidere|dimentica(?:te)?|ignorate|"
    r"non considerare)\b.{0,40}"
    r"\b(?:instruções|regras|istruzioni|regole|indicazioni)\b",
    r"\b(?:ignorier(?:e|en|t)|vergiss|vergesst|vergessen sie|missachten?|missachtet)\b.{0,40}\b(?:anweisung|"
    r"anleitung|regeln|vorgaben|instruktion)\w*",
    r"\b(?:про)?игнорируй\w*.{0,40}(?:инструкц|указани|правил|команд)\w*|\bзабудь\w*.{0,40}(?:инструкц|указани|"
    r"правил)\w*",
    r"\b(?:про)?ігноруй\w*.{0,40}(?:інструкц|вказів|правил)\w*|\bзабудь\w*.{0,40}(?:інструкц|вказів)\w*",
    r"(?:تجاهل\w*|انس|لا تتبع\w*).{0,30}(?:التعليمات|الإرشادات|تعليمات|القواعد)",
    r"(?:دستور|هدایت|هدایات|رهنمود|قوانین|قواعد|مقررات|راهنما).{0,30}(?:نادیده|فراموش|صرف ?نظر) ?(?:بگیر|کن)",
    r"(?:نادیده|فراموش) (?:بگیر|کن)\w*.{0,30}(?:دستور|هدایات|رهنمود|قواعد)",
    r"(?:لارښوون|هدایات|حکمون|قواعد|امرون).{0,40}(?:له پامه|هېر|هیر|مه منئ|مه منه|سترګې پټې|نظر انداز)",
    r"(?:ہدایات|احکامات|قواعد).{0,30}(?:نظر ?انداز کر|بھول جا)",
    r"(?:निर्देश|नियम).{0,30}(?:अनदेखा|नज़रअंदाज़|नजरअंदाज|भूल)",
    r"\b(?:talimat|komut|kural|yönerge)\w*.{0,20}(?:yok say|görmezden gel|unut|dikkate alma)\w*",
    r"\b(?:ko['‘’ʻ]rsatma|buyruq|qoida)\w*.{0,25}(?:e['‘’ʻ]tibor(?:ga olma|siz)|unut)\w*",
    r"(?:忽略|无视|無視|忽視|忘记|忘記|忘掉|不要理会).{0,14}(?:指示|指令|规则|規則|提示|说明|要求)",
    r"(?:指示|命令|ルール|規則).{0,10}(?:無視し|忘れ)|(?:지시|명령|규칙|지침).{0,10}(?:무시|잊)",
)


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern, and the words or signs of which it has one wherever it is found, so that most texts are not "
    "searched."""

    words: frozenset[str]
    signs: str
    pattern: re.Pattern[str]


def _rule(patterns: tuple[str, ...], words: str, signs: str = "") -> Rule:
    joined = "|".join(f"(?:{pattern})" for pattern in patterns)
    return Rule(frozenset(words.split()), signs, re.compile(joined, re.IGNORECASE))


ORDERS = (
    _rule(
        _OVERRIDE,
        "ignore disregard forget override overrule bypass discard neglect overlook drop abandon delete erase suspend "
        "aside "
        "throw attention heed follow obey trust rely cite quote use following obeying trusting relying citing "
        "quoting using",
    ),
    _rule(
        _TOLD,
        "say state write claim answer reply respond conclude declare confirm report affirm assert print output repeat "
        "announce pretend insist mention summarize summarise tell inform assure convince persuade cite quote asked",
    ),
    _rule(
        _ADDRESSED,
        "ai ais a.i llm llms gpt chatgpt chatbot chatbots chat bot bots language model models assistant assistants "
        "summarizer "
        "summarizers summariser summarisers machine automated automatic answering software neural",
    ),
    _rule(
        _MEETING,
        "ai ais llm llms gpt chatgpt chatbot chatbots chat bot bots language model models assistant assistants "
        "automated "
        "automatic machine machine-readable software program programs system systems tool tools machines engine "
        "engines "
        "summarizer summarizers summariser based generated drawn produced written whoever enquires correct proper "
        "query "
        "queries question questions request requests message messages omit suppress leave void null invalid withdrawn "
        "cancelled told taught imagine pretend suppose act initial original hidden first secret before output final "
        "summarize summarise quote cite mention repeat user",
    ),
    _rule(
        _ANSWERS,
        "answer answers reply replies response responses summary summaries output outputs completion completions "
        "question "
        "questions query answering replying responding makers creators developers programmers operator operators "
        "prompt "
        "prompts training cutoff cut-off knowledge mode persona restricted restrictions unrestricted filters bound "
        "free "
        "instructions rules reveal conversation history chat window set say write comply obey",
    ),
)
"""Orders in English: to forget what was told, to say something; what names a program, what speaks of its answers."""
MARKS = _rule(
    _MARKS,
    "system assistant human user developer operator admin administrator role statements answered instructions "
    "instruction "
    "passages passage data context tool task  documents prompt answer sources javascript onerror onload script api "
    "function tool "
    "rot rot13 readers reader users display decode decipher decrypt end begin start",
    "<{[=`#",
)
"""What looks like what surrounds a text in a prompt: turns, roles, fences, keys of replies."""
ELSEWHERE = _rule(
    _ELSEWHERE,
    "ignorez ignore ignorer oubliez oublie tenez tiens ignora ignoren olvida olvide olvídate descarta descarte haz "
    "hagas "
    "esqueça "
    "esquece desconsidere dimentica dimenticate ignorate considerare ignoriere ignorieren ignoriert vergiss vergesst "
    "vergessen "
    "missachte missachten missachtet talimat talimatları komut komutları kuralları buyruqlarni",
)
"""The order to forget what was told in other languages, found by its words or by a script that is not Latin."""
OTHER_SCRIPT = re.compile(r"[\u0370-\u1fff\u3040-\ud7ff]|['‘’ʻ]rsatma|talimat|komut|kural|yönerge", re.I)
PROGRAM = re.compile(
    rf"\b(?:AI|LLM|assistant|chat ?bot|language model|prompts?|passages?|the reader|cite|{_NOUN} (?:only|with)|"
    rf"previous instructions)\b"
    rf"|\b(?:your|the) {_NOUN}\b",
    re.I,
)
"""What nobody says to people: by this an order in quotation marks is told from one that is reported."""
FOLLOWS = re.compile(
    rf"^\W*(?:{_POLITE}(?:{_SAY}|cite|append|add|insert|keep|use|treat|translate|begin|start|end|tell|show|call|set|"
    rf"do not|don['’]t|"
    r"never|always)\b|only |instead|to pass |the (?:new |correct |right |true |real )?(?:question|answer)\b|you |your |"
    r"if you|failure to|from now on|remember|otherwise|both say|all (?:other )?(?:passages|sources|articles)\b|"
    r"thank you)",
    re.IGNORECASE,
)
"""How a sentence starts that goes on with the order before it."""
PATTERNS = (*(rule.pattern for rule in (*ORDERS, MARKS, ELSEWHERE)), OTHER_SCRIPT, PROGRAM, FOLLOWS)
"""All of them."""
