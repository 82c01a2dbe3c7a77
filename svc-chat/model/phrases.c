#include "svc-chat/model/phrases.h"

#include <stdio.h>
#include <string.h>

#include "common/base/utf8.h"
#include "common/text/terms.h"

static const struct phrases all[TONGUES] = {
	[LANGUAGE_EN] = { "This is what the documents say:", "I found nothing about that in the documents.",
	                  "I found nothing about {1} in the documents.",
	                  "The nearest that there is: “{1}” in “{2}”.",
	                  "I have no documents to answer from. Add some to this chatbot, and I can quote from them.",
	                  "Hello! Ask me something, and I shall look it up in the documents.",
	                  "You are welcome! Just ask when there is something else.",
	                  "Good-bye, and come back any time!",
	                  "I am an assistant that answers from the documents of this chatbot: ask me a question, and I quote "
	                  "the passages that answer it, with their sources." },
	[LANGUAGE_DE] = { "Das steht dazu in den Dokumenten:",
	                  "Dazu habe ich in den Dokumenten nichts gefunden.",
	                  "Zu {1} habe ich in den Dokumenten nichts gefunden.",
	                  "Am nächsten kommt dem „{1}“ in „{2}“.",
	                  "Ich habe keine Dokumente, aus denen ich antworten könnte.",
	                  "Guten Tag! Stellen Sie mir eine Frage, und ich sehe in den Dokumenten nach.",
	                  "Gern geschehen! Fragen Sie einfach, wenn noch etwas ist.", "Auf Wiedersehen!",
	                  "Ich bin ein Assistent, der aus den Dokumenten dieses Chatbots antwortet: Stellen Sie mir eine Frage, "
	                  "und ich zitiere die Stellen, die dazu etwas sagen." },
	[LANGUAGE_ES] = { "Esto es lo que dicen los documentos:",
	                  "No he encontrado nada sobre eso en los documentos.",
	                  "No he encontrado nada sobre {1} en los documentos.",
	                  "Lo más cercano es «{1}», en «{2}».", "No tengo documentos de los que responder.",
	                  "¡Hola! Hágame una pregunta y la buscaré en los documentos.",
	                  "¡De nada! Pregunte cuando quiera.", "¡Hasta luego!",
	                  "Soy un asistente que responde con los documentos de este chatbot: hágame una pregunta y le cito los "
	                  "pasajes que la responden." },
	[LANGUAGE_FR] = { "Voici ce que disent les documents :",
	                  "Je n'ai rien trouvé à ce sujet dans les documents.",
	                  "Je n'ai rien trouvé sur {1} dans les documents.",
	                  "Le plus proche est « {1} », dans « {2} ».",
	                  "Je n'ai pas de documents d'où répondre.",
	                  "Bonjour ! Posez-moi une question, et je la cherche dans les documents.",
	                  "Avec plaisir ! N'hésitez pas si vous avez une autre question.", "Au revoir !",
	                  "Je suis un assistant qui répond avec les documents de ce chatbot : posez-moi une question, et je cite "
	                  "les passages qui y répondent." },
	[LANGUAGE_IT] = { "Ecco che cosa dicono i documenti:",
	                  "Non ho trovato nulla su questo nei documenti.",
	                  "Non ho trovato nulla su {1} nei documenti.",
	                  "La cosa più vicina è «{1}», in «{2}».", "Non ho documenti da cui rispondere.",
	                  "Buongiorno! Mi faccia una domanda, e la cerco nei documenti.",
	                  "Prego! Chieda pure quando vuole.", "Arrivederci!",
	                  "Sono un assistente che risponde con i documenti di questo chatbot: cito i passaggi che rispondono "
	                  "alla domanda." },
	[LANGUAGE_PT] = { "É isto que dizem os documentos:", "Não encontrei nada sobre isso nos documentos.",
	                  "Não encontrei nada sobre {1} nos documentos.", "O mais próximo é «{1}», em «{2}».",
	                  "Não tenho documentos de onde responder.",
	                  "Olá! Faça-me uma pergunta, e procuro nos documentos.",
	                  "De nada! Pergunte quando quiser.", "Até logo!",
	                  "Sou um assistente que responde com os documentos deste chatbot: cito as passagens que respondem à "
	                  "pergunta." },
	[LANGUAGE_NL] = { "Dit staat daarover in de documenten:",
	                  "Daarover heb ik niets gevonden in de documenten.",
	                  "Over {1} heb ik niets gevonden in de documenten.",
	                  "Het dichtst in de buurt komt “{1}” in “{2}”.",
	                  "Ik heb geen documenten om uit te antwoorden.",
	                  "Hallo! Stel een vraag, en ik zoek het op in de documenten.", "Graag gedaan!",
	                  "Tot ziens!",
	                  "Ik ben een assistent die antwoordt uit de documenten van deze chatbot: stel een vraag, en ik citeer "
	                  "wat erover staat." },
	[LANGUAGE_SV] = { "Det här står om det i dokumenten:", "Jag hittade ingenting om det i dokumenten.",
	                  "Jag hittade ingenting om {1} i dokumenten.", "Närmast kommer ”{1}” i ”{2}”.",
	                  "Jag har inga dokument att svara ur.",
	                  "Hej! Fråga mig något, så letar jag i dokumenten.", "Varsågod!", "Hej då!",
	                  "Jag är en assistent som svarar ur chatbotens dokument: ställ en fråga, så citerar jag det som står." },
	[LANGUAGE_RU] = { "Вот что об этом сказано в документах:", "В документах об этом ничего не нашлось.",
	                  "В документах ничего не нашлось по запросу: {1}.",
	                  "Ближе всего раздел «{1}» в документе «{2}».",
	                  "У меня нет документов, по которым можно ответить.",
	                  "Здравствуйте! Задайте вопрос, и я поищу ответ в документах.",
	                  "Пожалуйста! Спрашивайте ещё.", "До свидания!",
	                  "Я помощник, который отвечает по документам этого чат-бота: задайте вопрос, и я приведу нужные места." },
	[TONGUE_ZH] = { "文档中是这样写的：", "文档中没有找到相关内容。", "文档中没有找到与“{1}”相关的内容。",
	                "最接近的是《{2}》中的“{1}”。", "我没有可以用来回答的文档。",
	                "您好！请提问，我会在文档中查找。", "不客气！有问题随时问我。", "再见！",
	                "我是根据这个聊天机器人的文档来回答的助手：请提问，我会引用相关的段落。" },
	[TONGUE_JA] = { "文書にはこう書かれています：", "文書には該当する内容が見つかりませんでした。",
	                "文書には「{1}」について見つかりませんでした。", "最も近いのは「{2}」の「{1}」です。",
	                "回答のもとになる文書がありません。",
	                "こんにちは！ご質問をどうぞ。文書の中を探します。",
	                "どういたしまして！またいつでもどうぞ。", "さようなら！",
	                "このチャットボットの文書をもとに答えるアシスタントです。ご質問に合う箇所を引用します。" },
	[TONGUE_TR] = { "Belgelerde şöyle yazıyor:", "Belgelerde bununla ilgili bir şey bulamadım.",
	                "Belgelerde {1} ile ilgili bir şey bulamadım.", "En yakını: “{2}” içinde “{1}”.",
	                "Yanıt verebileceğim belge yok.", "Merhaba! Sorunuzu yazın, belgelerde arayayım.",
	                "Rica ederim! Başka bir sorunuz olursa yazın.", "Hoşça kalın!",
	                "Bu sohbet robotunun belgelerinden yanıt veren bir asistanım: sorunuzu yazın, ilgili yerleri "
	                "alıntılayayım." },
	[TONGUE_AR] = { "هذا ما تقوله المستندات:", "لم أجد شيئا عن ذلك في المستندات.",
	                "لم أجد شيئا عن {1} في المستندات.", "الأقرب هو «{1}» في «{2}».",
	                "ليست لدي مستندات أجيب منها.", "مرحبا! اطرح سؤالا وسأبحث عنه في المستندات.",
	                "على الرحب والسعة! اسأل متى شئت.", "إلى اللقاء!",
	                "أنا مساعد يجيب من مستندات هذا الروبوت: اطرح سؤالا وسأقتبس المواضع التي تجيب عنه." },
	[TONGUE_HI] = { "दस्तावेज़ों में यह लिखा है:", "दस्तावेज़ों में इसके बारे में कुछ नहीं मिला।",
	                "दस्तावेज़ों में {1} के बारे में कुछ नहीं मिला।", "सबसे निकट: “{2}” में “{1}”।",
	                "मेरे पास कोई दस्तावेज़ नहीं है।", "नमस्ते! प्रश्न पूछिए, मैं दस्तावेज़ों में देखूँगा।",
	                "आपका स्वागत है! और कुछ हो तो पूछिए।", "फिर मिलेंगे!",
	                "मैं इस चैटबॉट के दस्तावेज़ों से उत्तर देने वाला सहायक हूँ: प्रश्न पूछिए।" },
};

const struct phrases *phrases(int tongue)
{
	return &all[tongue >= 0 && tongue < TONGUES ? tongue : LANGUAGE_EN];
}

enum { TURKISH_PART = 40 /* one letter in so many that only Turkish has: it has one in twelve */ };

int phrases_tongue(const char *text, int otherwise)
{
	size_t kana = 0, han = 0, arabic = 0, nagari = 0, turkish = 0, others = 0, size = strlen(text);

	for (const char *s = text; *s;) {
		uint32_t c = utf8_next(&s);

		kana += c >= 0x3040 && c <= 0x30ff;
		han += c >= 0x4e00 && c <= 0x9fff;
		arabic += c >= 0x600 && c <= 0x6ff;
		nagari += c >= 0x900 && c <= 0x97f;
		turkish += c == 0x131 || c == 0x130 || c == 0x11f || c == 0x15f || c == 0x15e;
		others += c > ' ';
	}
	if ((kana + han) * 4 > others)
		return kana * 8 > han ? TONGUE_JA : TONGUE_ZH;
	if (arabic * 2 > others || nagari * 2 > others)
		return arabic > nagari ? TONGUE_AR : TONGUE_HI;
	if (turkish * TURKISH_PART > others)
		return TONGUE_TR;
	/* One of those two when nothing tells: a language cannot be asked to guess it. */
	if (otherwise < LANGUAGES)
		return (int)language_guess(text, size, (enum language)otherwise);
	return language_guess(text, size, LANGUAGE_EN) == language_guess(text, size, LANGUAGE_SV)
	           ? (int)language_guess(text, size, LANGUAGE_EN)
	           : otherwise;
}

/* --- Small talk ------------------------------------------------------------------------------------------------- */

/* A word before the bar makes a message small talk of that kind; those behind it may stand beside. Folded. */
static const struct {
	enum small_talk kind;
	int tongue;
	const char *keys, *beside;
} talks[] = {
	{ TALK_BYE, LANGUAGE_EN, " bye goodbye cya farewell ",
	  " good ok okay see you later then thanks thank a lot have nice day evening and well " },
	{ TALK_BYE, LANGUAGE_EN, " see ", " you later soon tomorrow then ok okay " },
	{ TALK_THANKS, LANGUAGE_EN, " thanks thank thx cheers ",
	  " you so very much a lot that this helped helps was great helpful perfect ok okay all good very nice for the your help it is really now " },
	{ TALK_THANKS, LANGUAGE_EN, " ok okay great perfect cool alright super ", " very good nice all " },
	{ TALK_HELLO, LANGUAGE_EN, " help ", " me please can you need i " },
	{ TALK_HELLO, LANGUAGE_EN, " hello hi hey morning afternoon evening greetings ",
	  " good there dear team all everybody how are you doing today again to " },
	{ TALK_BYE, LANGUAGE_DE, " tschuss wiedersehen ciao bye ",
	  " auf ok gut bis bald dann danke schonen tag noch " },
	{ TALK_THANKS, LANGUAGE_DE, " danke dankeschon merci vielen ",
	  " dank schon sehr fur die hilfe das hat geholfen war super toll ok gut ihre deine mir " },
	{ TALK_HELLO, LANGUAGE_DE, " hallo guten moin servus gruss gruezi ",
	  " tag morgen abend gott liebes team zusammen da wie geht es ihnen dir " },
	{ TALK_BYE, LANGUAGE_ES, " adios chao ", " hasta luego pronto gracias muchas " },
	{ TALK_THANKS, LANGUAGE_ES, " gracias ", " muchas mil por la su tu ayuda todo perfecto muy amable " },
	{ TALK_HELLO, LANGUAGE_ES, " hola buenos buenas ",
	  " dias tardes noches que tal como esta estas equipo " },
	{ TALK_BYE, LANGUAGE_FR, " revoir salut ", " au bonne journee soiree merci a bientot " },
	{ TALK_THANKS, LANGUAGE_FR, " merci ",
	  " beaucoup bien pour votre ton aide c est parfait super tout " },
	{ TALK_HELLO, LANGUAGE_FR, " bonjour bonsoir coucou ",
	  " a tous monsieur madame comment allez vous ca va " },
	{ TALK_HELLO, LANGUAGE_IT, " buongiorno buonasera ciao salve ", " a tutti come sta stai " },
	{ TALK_THANKS, LANGUAGE_IT, " grazie ", " mille molte tante per l aiuto " },
	{ TALK_HELLO, LANGUAGE_PT, " ola bom boa ", " dia tarde noite tudo bem " },
	{ TALK_THANKS, LANGUAGE_PT, " obrigado obrigada ", " muito pela ajuda " },
	{ TALK_HELLO, LANGUAGE_NL, " hallo hoi goedemorgen goedemiddag goedenavond goedendag ",
	  " allemaal daar " },
	{ TALK_THANKS, LANGUAGE_NL, " bedankt dank dankjewel ", " je u wel voor de hulp hartelijk " },
	{ TALK_HELLO, LANGUAGE_SV, " hej hallo god ", " dag morgon kvall pa er alla " },
	{ TALK_THANKS, LANGUAGE_SV, " tack ", " sa mycket for hjalpen " },
	{ TALK_HELLO, LANGUAGE_RU, " здравствуите привет добрыи доброе здравствуи ",
	  " день вечер утро всем " },
	{ TALK_THANKS, LANGUAGE_RU, " спасибо благодарю ", " большое за помощь вам очень помогло " },
	{ TALK_BYE, LANGUAGE_RU, " свидания пока ", " до всего доброго " },
	{ TALK_HELLO, TONGUE_TR, " merhaba selam gunaydin iyi ",
	  " gunler aksamlar geceler herkese nasilsiniz nasilsin " },
	{ TALK_THANKS, TONGUE_TR, " tesekkurler tesekkur sagol sagolun ",
	  " ederim ederiz cok yardiminiz icin " },
	{ TALK_BYE, TONGUE_TR, " gorusuruz hoscakal hoscakalin ", " sonra " },
	{ TALK_HELLO, TONGUE_AR, " مرحبا السلام اهلا صباح مساء ",
	  " عليكم الخير النور وسهلا بك بكم ورحمة الله " },
	{ TALK_THANKS, TONGUE_AR, " شكرا ", " جزيلا لك لكم كثيرا " },
	{ TALK_BYE, TONGUE_AR, " وداعا اللقاء ", " الى مع السلامة " },
	{ TALK_HELLO, TONGUE_HI, " नमस्ते नमस्कार ", " जी आप कैसे हैं सबको " },
	{ TALK_THANKS, TONGUE_HI, " धन्यवाद शुक्रिया ", " बहुत आपका जी " },
	{ TALK_SELF, LANGUAGE_EN, " are ",
	  " you a an the robot bot chatbot human ai real person machine computer model there or " },
	{ TALK_SELF, LANGUAGE_EN, " who what how ", " are you your name can do for me help could " },
	{ TALK_SELF, LANGUAGE_DE, " wer was wie ",
	  " bist du sind sie kannst konnen heisst heissen machen tun fur mich helfen mir hilfst " },
	{ TALK_SELF, LANGUAGE_ES, " quien que como ",
	  " eres es usted puedes puede hacer por mi te llamas ayudarme me ayudas se llama " },
	{ TALK_SELF, LANGUAGE_FR, " qui que comment quoi ",
	  " es tu etes vous peux pouvez faire pour moi t appelles appelez m aider ce toi " },
	{ TALK_SELF, LANGUAGE_RU, " кто что как ",
	  " ты вы умеешь умеете можешь можете тебя вас зовут делать " },
};

static const struct {
	enum small_talk kind;
	int tongue;
	const char *words;
} wide_talks[] = {
	{ TALK_HELLO, TONGUE_ZH, "你好" },        { TALK_HELLO, TONGUE_ZH, "您好" },
	{ TALK_HELLO, TONGUE_ZH, "早上好" },      { TALK_THANKS, TONGUE_ZH, "谢谢" },
	{ TALK_THANKS, TONGUE_ZH, "多谢" },       { TALK_BYE, TONGUE_ZH, "再见" },
	{ TALK_SELF, TONGUE_ZH, "你是谁" },       { TALK_SELF, TONGUE_ZH, "你能做什么" },
	{ TALK_HELLO, TONGUE_JA, "こんにちは" },  { TALK_HELLO, TONGUE_JA, "こんばんは" },
	{ TALK_THANKS, TONGUE_JA, "ありがとう" }, { TALK_BYE, TONGUE_JA, "さようなら" },
};

static bool among(const char *list, const char *word)
{
	char padded[TERM_MAX + 16];

	snprintf(padded, sizeof padded, " %s ", word);
	return strstr(list, padded) != NULL;
}

/* Every word is one of theirs, and one is a key; of "who are you", the first is. */
static bool is_talk(size_t k, const char *message)
{
	bool key = false;
	int n = 0;
	struct terms terms;

	terms_init(&terms, message, strlen(message), NULL, LANGUAGE_EN);
	for (struct term t; terms_next(&terms, &t); n++) {
		if (t.joined)
			continue;
		if (among(talks[k].keys, t.word))
			key |= talks[k].kind != TALK_SELF || n == 0;
		else if (!among(talks[k].beside, t.word))
			return false;
	}
	return key && (talks[k].kind != TALK_SELF || n > 2);
}

enum small_talk phrases_small_talk(const char *message, int *tongue)
{
	for (size_t i = 0; i < sizeof wide_talks / sizeof *wide_talks; i++) {
		const char *at = strstr(message, wide_talks[i].words);

		*tongue = wide_talks[i].tongue;
		if (at &&
		    utf8_length(message, strlen(message)) <= utf8_length(at, strlen(wide_talks[i].words)) + 6)
			return wide_talks[i].kind;
	}
	for (size_t k = 0; k < sizeof talks / sizeof *talks; k++) {
		*tongue = talks[k].tongue;
		if (is_talk(k, message))
			return talks[k].kind;
	}
	return TALK_NONE;
}
