#include "common/text/language.h"

#include <libstemmer.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/text/spelling.h"
#include "common/text/terms.h"

/* Folded, in order of their bytes. */
static const char *const english[] = {
	"a",    "about", "after",   "all",     "also",   "am",     "an",    "and",    "any",   "are",
	"as",   "at",    "be",      "because", "been",   "before", "being", "both",   "but",   "by",
	"can",  "could", "did",     "do",      "does",   "doing",  "down",  "during", "each",  "few",
	"for",  "from",  "further", "get",     "had",    "has",    "have",  "having", "he",    "her",
	"here", "him",   "his",     "how",     "i",      "if",     "in",    "into",   "is",    "it",
	"its",  "just",  "many",    "may",     "me",     "more",   "most",  "much",   "must",  "my",
	"no",   "nor",   "not",     "of",      "off",    "on",     "once",  "only",   "or",    "other",
	"our",  "out",   "over",    "own",     "please", "shall",  "she",   "should", "so",    "some",
	"such", "tell",  "than",    "that",    "the",    "their",  "them",  "then",   "there", "these",
	"they", "this",  "those",   "through", "to",     "too",    "under", "until",  "up",    "us",
	"very", "was",   "we",      "were",    "what",   "when",   "where", "which",  "while", "who",
	"whom", "whose", "why",     "will",    "with",   "would",  "you",   "your",
};
static const char *const german[] = {
	"ab",      "aber",    "alle",   "allem",  "allen",  "aller",   "alles",    "als",     "also",
	"am",      "an",      "auch",   "auf",    "aus",    "bei",     "beim",     "bin",     "bis",
	"bist",    "bitte",   "da",     "damit",  "dann",   "darf",    "das",      "dass",    "dein",
	"dem",     "den",     "denn",   "der",    "des",    "dessen",  "dich",     "die",     "dies",
	"diese",   "diesem",  "diesen", "dieser", "dieses", "dir",     "doch",     "dort",    "du",
	"durch",   "ein",     "eine",   "einem",  "einen",  "einer",   "eines",    "er",      "es",
	"etwa",    "etwas",   "euch",   "euer",   "fur",    "gegen",   "gibt",     "habe",    "haben",
	"hat",     "hatte",   "hatten", "hier",   "hin",    "hinter",  "ich",      "ihm",     "ihn",
	"ihnen",   "ihr",     "ihre",   "ihrem",  "ihren",  "ihrer",   "im",       "in",      "ins",
	"ist",     "ja",      "jede",   "jeder",  "jedes",  "jetzt",   "kann",     "kannst",  "kein",
	"keine",   "keinem",  "keinen", "keiner", "konnen", "konnte",  "machen",   "man",     "mehr",
	"mein",    "meine",   "meinem", "meinen", "meiner", "mich",    "mir",      "mit",     "muss",
	"mussen",  "nach",    "nicht",  "noch",   "nun",    "nur",     "ob",       "oder",    "ohne",
	"sehr",    "sein",    "seine",  "seinem", "seinen", "seiner",  "seit",     "sich",    "sie",
	"sind",    "so",      "soll",   "sollen", "sollte", "sondern", "uber",     "um",      "und",
	"uns",     "unser",   "unsere", "unter",  "viel",   "viele",   "vom",      "von",     "vor",
	"wann",    "war",     "waren",  "warum",  "was",    "weil",    "welche",   "welchem", "welchen",
	"welcher", "welches", "wem",    "wen",    "wenn",   "wer",     "werde",    "werden",  "wie",
	"wieder",  "will",    "wir",    "wird",   "wirst",  "wo",      "woher",    "wohin",   "wollen",
	"wurde",   "wurden",  "zu",     "zum",    "zur",    "zwar",    "zwischen",
};
static const char *const spanish[] = {
	"a",       "al",     "algo",   "alguna",  "algunas", "alguno",  "algunos",  "alli",    "ante",
	"antes",   "aqui",   "asi",    "aun",     "bajo",    "bien",    "cada",     "como",    "con",
	"contra",  "cual",   "cuales", "cuando",  "cuanta",  "cuantas", "cuanto",   "cuantos", "de",
	"del",     "desde",  "donde",  "dos",     "durante", "e",       "el",       "ella",    "ellas",
	"ellos",   "en",     "entre",  "era",     "eran",    "eres",    "es",       "esa",     "esas",
	"ese",     "eso",    "esos",   "esta",    "estan",   "estas",   "este",     "esto",    "estos",
	"fue",     "fueron", "ha",     "hace",    "han",     "hasta",   "hay",      "he",      "la",
	"las",     "le",     "les",    "lo",      "los",     "mas",     "me",       "mi",      "mis",
	"mucho",   "muy",    "nada",   "ni",      "no",      "nos",     "nosotros", "o",       "os",
	"otra",    "otras",  "otro",   "otros",   "para",    "pero",    "poco",     "por",     "porque",
	"pues",    "que",    "quien",  "quienes", "se",      "sea",     "segun",    "ser",     "si",
	"sin",     "sobre",  "son",    "soy",     "su",      "sus",     "tambien",  "tan",     "tanto",
	"te",      "tener",  "tengo",  "ti",      "tiene",   "tienen",  "toda",     "todas",   "todo",
	"todos",   "tu",     "tus",    "un",      "una",     "unas",    "uno",      "unos",    "usted",
	"ustedes", "va",     "y",      "ya",      "yo",
};
static const char *const french[] = {
	"a",        "ai",     "au",    "aucun",   "aucune",  "aussi",  "autre",   "autres",  "aux",
	"avant",    "avec",   "avez",  "avoir",   "avons",   "bien",   "c",       "ca",      "car",
	"ce",       "ceci",   "cela",  "celle",   "celles",  "celui",  "ces",     "cet",     "cette",
	"ceux",     "chaque", "chez",  "comme",   "comment", "contre", "d",       "dans",    "de",
	"des",      "deux",   "doit",  "doivent", "donc",    "dont",   "du",      "elle",    "elles",
	"en",       "encore", "entre", "es",      "est",     "et",     "etaient", "etait",   "ete",
	"etes",     "etre",   "eu",    "fait",    "faut",    "il",     "ils",     "j",       "je",
	"jusqu",    "jusque", "l",     "la",      "le",      "les",    "leur",    "leurs",   "lors",
	"lui",      "m",      "ma",    "mais",    "me",      "meme",   "mes",     "moi",     "mon",
	"n",        "ne",     "ni",    "non",     "nos",     "notre",  "nous",    "on",      "ont",
	"ou",       "par",    "pas",   "pendant", "peu",     "peut",   "peuvent", "plus",    "pour",
	"pourquoi", "puis",   "qu",    "quand",   "que",     "quel",   "quelle",  "quelles", "quels",
	"qui",      "quoi",   "s",     "sa",      "sans",    "se",     "selon",   "sera",    "ses",
	"si",       "son",    "sont",  "sous",    "suis",    "sur",    "t",       "ta",      "te",
	"tes",      "toi",    "ton",   "tous",    "tout",    "toute",  "toutes",  "tres",    "tu",
	"un",       "une",    "vers",  "vos",     "votre",   "vous",   "y",
};
static const char *const italian[] = {
	"a",      "ad",     "agli",   "ai",     "al",     "alla",   "alle",   "allo",   "anche",  "ancora",
	"avere",  "c",      "che",    "chi",    "ci",     "coi",    "col",    "come",   "con",    "cosa",
	"cui",    "d",      "da",     "dagli",  "dai",    "dal",    "dalla",  "dalle",  "dallo",  "de",
	"degli",  "dei",    "del",    "della",  "delle",  "dello",  "di",     "dove",   "e",      "ed",
	"era",    "erano",  "essere", "fa",     "fra",    "gli",    "ha",     "hai",    "hanno",  "ho",
	"i",      "il",     "in",     "io",     "l",      "la",     "le",     "lei",    "li",     "lo",
	"loro",   "ma",     "mi",     "mia",    "mie",    "miei",   "mio",    "molto",  "ne",     "negli",
	"nei",    "nel",    "nella",  "nelle",  "nello",  "no",     "noi",    "non",    "nostra", "nostro",
	"o",      "ogni",   "per",    "perche", "piu",    "poi",    "puo",    "qual",   "quale",  "quali",
	"quando", "quanta", "quante", "quanti", "quanto", "quella", "quelle", "quelli", "quello", "questa",
	"queste", "questi", "questo", "qui",    "sara",   "se",     "si",     "sia",    "siamo",  "sono",
	"sta",    "su",     "sua",    "sue",    "sugli",  "sui",    "sul",    "sulla",  "sulle",  "suo",
	"suoi",   "ti",     "tra",    "tu",     "tua",    "tuo",    "tutti",  "tutto",  "un",     "una",
	"uno",    "vi",     "voi",
};
static const char *const portuguese[] = {
	"a",       "ao",    "aos",    "aquela", "aquelas", "aquele", "aqueles", "aquilo", "as",      "ate",
	"cada",    "com",   "como",   "da",     "das",     "de",     "dela",    "dele",   "deles",   "depois",
	"do",      "dos",   "e",      "ela",    "elas",    "ele",    "eles",    "em",     "entre",   "era",
	"eram",    "essa",  "essas",  "esse",   "esses",   "esta",   "estao",   "estas",  "estava",  "este",
	"estes",   "eu",    "foi",    "foram",  "ha",      "isso",   "isto",    "ja",     "la",      "lhe",
	"lhes",    "mais",  "mas",    "me",     "mesmo",   "meu",    "meus",    "minha",  "minhas",  "muito",
	"na",      "nao",   "nas",    "nem",    "no",      "nos",    "nossa",   "nosso",  "num",     "numa",
	"o",       "onde",  "os",     "ou",     "para",    "pela",   "pelas",   "pelo",   "pelos",   "pode",
	"podem",   "por",   "porque", "posso",  "quais",   "qual",   "quando",  "quanta", "quantas", "quanto",
	"quantos", "que",   "quem",   "sao",    "se",      "sem",    "sempre",  "ser",    "seu",     "seus",
	"so",      "sobre", "sua",    "suas",   "tambem",  "te",     "tem",     "tenho",  "ter",     "toda",
	"todas",   "todo",  "todos",  "tu",     "tua",     "um",     "uma",     "umas",   "uns",     "voce",
	"voces",
};
static const char *const dutch[] = {
	"aan",     "al",     "alle",   "alles",  "als",   "altijd", "andere", "ben",     "bij",   "daar",
	"dan",     "dat",    "de",     "der",    "deze",  "die",    "dit",    "doch",    "doen",  "door",
	"dus",     "een",    "eens",   "en",     "er",    "ge",     "geen",   "haar",    "had",   "heb",
	"hebben",  "heeft",  "hem",    "het",    "hier",  "hij",    "hoe",    "hoeveel", "hun",   "iemand",
	"iets",    "ik",     "in",     "is",     "ja",    "je",     "jij",    "jou",     "jouw",  "jullie",
	"kan",     "kon",    "kunnen", "maar",   "me",    "meer",   "men",    "met",     "mij",   "mijn",
	"moet",    "mogen",  "na",     "naar",   "niet",  "niets",  "nog",    "nu",      "of",    "om",
	"omdat",   "ons",    "onze",   "ook",    "op",    "over",   "reeds",  "te",      "tegen", "toch",
	"toen",    "tot",    "u",      "uit",    "uw",    "van",    "veel",   "voor",    "waar",  "waarom",
	"wanneer", "want",   "waren",  "was",    "wat",   "we",     "wel",    "welk",    "welke", "werd",
	"wie",     "wij",    "wil",    "worden", "wordt", "ze",     "zelf",   "zich",    "zij",   "zijn",
	"zo",      "zonder", "zou",
};
static const char *const swedish[] = {
	"alla",  "allt",  "att",    "av",     "bara",   "blev",  "bli",   "blir",  "da",     "dar",    "de",
	"dem",   "den",   "denna",  "deras",  "dess",   "dessa", "det",   "detta", "dig",    "din",    "dina",
	"du",    "efter", "ej",     "eller",  "en",     "er",    "ett",   "fick",  "for",    "fran",   "ha",
	"hade",  "han",   "hans",   "har",    "henne",  "hon",   "honom", "hos",   "hur",    "i",      "icke",
	"in",    "ingen", "inom",   "inte",   "jag",    "kan",   "kunde", "man",   "med",    "mellan", "men",
	"mig",   "min",   "mina",   "mot",    "mycket", "na",    "nagon", "nagot", "nar",    "ni",     "nu",
	"och",   "om",    "oss",    "over",   "pa",     "sa",    "samma", "sedan", "sig",    "sin",    "sina",
	"sitta", "ska",   "skall",  "skulle", "som",    "till",  "under", "upp",   "ut",     "utan",   "vad",
	"var",   "vara",  "varfor", "vart",   "vem",    "vi",    "vid",   "vilka", "vilken", "vill",
};
static const char *const russian[] = {
	"а",       "без",     "более",   "бы",    "был",    "была",  "были",  "было",   "быть",   "в",
	"вам",     "вас",     "ваш",     "весь",  "во",     "вот",   "все",   "всего",  "всех",   "вы",
	"где",     "да",      "даже",    "для",   "до",     "его",   "ее",    "ей",     "если",   "есть",
	"еще",     "же",      "за",      "здесь", "и",      "из",    "или",   "им",     "их",     "к",
	"каждый",  "как",     "какая",   "какие", "какого", "какой", "каком", "ко",     "когда",  "кого",
	"которая", "которые", "который", "кто",   "куда",   "ли",    "лишь",  "между",  "меня",   "мне",
	"может",   "можно",   "мой",     "мы",    "на",     "над",   "надо",  "наш",    "не",     "него",
	"нее",     "нельзя",  "нет",     "ни",    "них",    "но",    "ну",    "о",      "об",     "однако",
	"он",      "она",     "они",     "оно",   "от",     "очень", "по",    "под",    "после",  "потом",
	"почему",  "при",     "про",     "раз",   "с",      "сам",   "свой",  "себя",   "сейчас", "сколько",
	"со",      "так",     "также",   "такой", "там",    "тебя",  "тем",   "теперь", "то",     "тогда",
	"того",    "тоже",    "только",  "том",   "ты",     "у",     "уже",   "хотя",   "чего",   "чей",
	"чем",     "через",   "что",     "чтобы", "эта",    "эти",   "это",   "этого",  "этой",   "этом",
	"этот",    "я",
};

#define WORDS(list) list, sizeof(list) / sizeof *(list)
static const struct {
	const char *name, *snowball;
	const char *const *common;
	size_t count;
} languages[LANGUAGES] = {
	[LANGUAGE_EN] = { "en", "english", WORDS(english) },
	[LANGUAGE_DE] = { "de", "german", WORDS(german) },
	[LANGUAGE_ES] = { "es", "spanish", WORDS(spanish) },
	[LANGUAGE_FR] = { "fr", "french", WORDS(french) },
	[LANGUAGE_IT] = { "it", "italian", WORDS(italian) },
	[LANGUAGE_PT] = { "pt", "portuguese", WORDS(portuguese) },
	[LANGUAGE_NL] = { "nl", "dutch", WORDS(dutch) },
	[LANGUAGE_SV] = { "sv", "swedish", WORDS(swedish) },
	[LANGUAGE_RU] = { "ru", "russian", WORDS(russian) },
};
enum { COMMON_MAX = 16 /* bytes of the longest of them */ };

const char *language_name(enum language l)
{
	return languages[l].name;
}

enum language language_named(const char *name)
{
	for (int i = 0; name && i < LANGUAGES; i++)
		if (strcmp(languages[i].name, name) == 0)
			return (enum language)i;
	return LANGUAGE_EN;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, *(const char *const *)b);
}

bool language_common(enum language l, const char *word)
{
	return strnlen(word, COMMON_MAX + 1) <= COMMON_MAX &&
	       bsearch(word, languages[l].common, languages[l].count, sizeof(char *), by_text);
}

bool language_nearly_common(enum language l, const char *word)
{
	size_t size = strnlen(word, COMMON_MAX + 1);

	for (size_t i = 0; size <= COMMON_MAX && i < languages[l].count; i++)
		if (spelling_near(word, size, languages[l].common[i], strlen(languages[l].common[i])))
			return true;
	return false;
}

/* --- Guessing --------------------------------------------------------------------------------------------------- */

enum { LOOKED_AT = 3000 /* words */, PLACES = 2048, SEEN = 256 };

/* Which languages have a common word of this beginning and length, a bit each: nearly all other words are sifted out so.
 * Those that are left come again and again, and are remembered in the place that they have. */
struct sieve {
	uint16_t languages[PLACES];
	struct {
		char word[COMMON_MAX + 1];
		uint16_t languages;
	} seen[SEEN];
};
_Static_assert(LANGUAGES <= 16, "a bit for each language");

static unsigned place_of(const char *word)
{
	unsigned size = (unsigned)strnlen(word, COMMON_MAX + 1);

	return size ? ((unsigned char)word[0] * 37u + (unsigned char)word[1] * 5u + size * 331u) % PLACES : 0;
}

static void fill(struct sieve *s)
{
	*s = (struct sieve){ 0 };
	for (int l = 0; l < LANGUAGES; l++)
		for (size_t i = 0; i < languages[l].count; i++)
			s->languages[place_of(languages[l].common[i])] |= (uint16_t)(1u << l);
}

static unsigned languages_of(struct sieve *s, const char *word)
{
	unsigned place = place_of(word), maybe = s->languages[place], found = 0;

	if (!maybe || strnlen(word, COMMON_MAX + 1) > COMMON_MAX)
		return 0;
	if (strcmp(s->seen[place % SEEN].word, word) == 0)
		return s->seen[place % SEEN].languages;
	for (int l = 0; maybe >> l; l++)
		if ((maybe >> l & 1) && language_common((enum language)l, word))
			found |= 1u << l;
	memcpy(s->seen[place % SEEN].word, word, strlen(word) + 1);
	s->seen[place % SEEN].languages = (uint16_t)found;
	return found;
}

static void count_word(struct sieve *s, const char *word, int known[LANGUAGES])
{
	unsigned found = languages_of(s, word);

	for (int l = 0; found >> l; l++)
		known[l] += found >> l & 1;
}

enum language language_guess(const char *text, size_t size, enum language otherwise)
{
	int known[LANGUAGES] = { 0 }, words = 0, cyrillic = 0, best = 0, second;
	struct terms terms;
	struct sieve sieve;

	fill(&sieve);
	terms_init(&terms, text, size, NULL, LANGUAGE_EN);
	for (struct term t; words < LOOKED_AT && terms_next(&terms, &t); words++) {
		cyrillic += (unsigned char)t.word[0] == 0xd0 || (unsigned char)t.word[0] == 0xd1;
		count_word(&sieve, t.word, known);
	}
	if (cyrillic > words / 2)
		return LANGUAGE_RU;
	for (int i = 1; i < LANGUAGES; i++)
		if (known[i] > known[best])
			best = i;
	second = best == 0;
	for (int i = 0; i < LANGUAGES; i++)
		if (i != best && known[i] > known[second])
			second = i;
	return known[best] > known[second] && known[best] * 20 >= words ? (enum language)best : otherwise;
}

/* --- Stems ------------------------------------------------------------------------------------------------------ */

enum { MET = 2048, MET_MAX = 24 /* bytes of a word */ };

/* The stem of a word met before, in the place that its hash gives: texts repeat themselves. */
struct met {
	uint8_t language, size, stem_size; /* size 0: nobody here */
	char word[MET_MAX], stem[MET_MAX];
};
struct stemmers {
	struct sb_stemmer *of[LANGUAGES];
	struct met met[MET];
	struct stemmers *next; /* on a shelf */
};

struct stemmers *stemmers_new(void)
{
	struct stemmers *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	return s;
}

void stemmers_free(struct stemmers *s)
{
	for (int i = 0; s && i < LANGUAGES; i++)
		sb_stemmer_delete(s->of[i]);
	free(s);
}

static const char *make(struct stemmers *s, enum language l, const char *word, size_t size, size_t *stem_size)
{
	const sb_symbol *text;

	if (!s->of[l])
		s->of[l] = sb_stemmer_new(languages[l].snowball, "UTF_8");
	if (!s->of[l])
		abort(); /* no memory: libstemmer has them all */
	text = sb_stemmer_stem(s->of[l], (const sb_symbol *)word, (int)size);
	*stem_size = (size_t)sb_stemmer_length(s->of[l]);
	return (const char *)text;
}

const char *stem(struct stemmers *s, enum language l, const char *word, size_t size, size_t *stem_size)
{
	uint32_t h = (uint32_t)l;
	struct met *m;
	const char *made;

	if (size == 0 || size > MET_MAX)
		return make(s, l, word, size, stem_size);
	for (size_t i = 0; i < size; i++)
		h = (h ^ (unsigned char)word[i]) * 0x01000193u;
	m = &s->met[(h ^ h >> 16) % MET];
	if (m->size != size || m->language != l || memcmp(m->word, word, size) != 0) {
		made = make(s, l, word, size, stem_size);
		if (*stem_size > MET_MAX)
			return made;
		*m = (struct met){ (uint8_t)l, (uint8_t)size, (uint8_t)*stem_size, "", "" };
		memcpy(m->word, word, size);
		memcpy(m->stem, made, *stem_size);
	}
	*stem_size = m->stem_size;
	return m->stem;
}

/* --- The shelf -------------------------------------------------------------------------------------------------- */

enum { SHELF = 8 /* kept: each is some 100 KB */ };

struct stemmers_shelf {
	pthread_mutex_t lock;
	struct stemmers *first; /* put back last: so a few are used, and stay warm */
	int count;
};

struct stemmers_shelf *stemmers_shelf_new(void)
{
	struct stemmers_shelf *shelf = calloc(1, sizeof *shelf);

	if (!shelf)
		abort();
	pthread_mutex_init(&shelf->lock, NULL);
	return shelf;
}

void stemmers_shelf_free(struct stemmers_shelf *shelf)
{
	if (!shelf)
		return;
	for (struct stemmers *s = shelf->first, *next; s; s = next) {
		next = s->next;
		stemmers_free(s);
	}
	pthread_mutex_destroy(&shelf->lock);
	free(shelf);
}

struct stemmers *stemmers_take(struct stemmers_shelf *shelf)
{
	struct stemmers *s;

	pthread_mutex_lock(&shelf->lock);
	s = shelf->first;
	if (s) {
		shelf->first = s->next;
		shelf->count--;
	}
	pthread_mutex_unlock(&shelf->lock);
	return s ? s : stemmers_new();
}

void stemmers_put_back(struct stemmers_shelf *shelf, struct stemmers *s)
{
	bool kept;

	pthread_mutex_lock(&shelf->lock);
	kept = shelf->count < SHELF;
	if (kept) {
		s->next = shelf->first;
		shelf->first = s;
		shelf->count++;
	}
	pthread_mutex_unlock(&shelf->lock);
	if (!kept)
		stemmers_free(s);
}
