/* links: svc-chat/model/builtin.c svc-chat/model/blocks.c svc-chat/model/blocks_titles.c svc-chat/model/blocks_tables.c svc-chat/model/choose.c svc-chat/model/scene.c svc-chat/model/asked.c svc-chat/model/measures.c svc-chat/model/phrases.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/text.h"
#include "svc-chat/model/model.h"

struct written {
	struct text text;
	int pieces, stop_after;
};

static int take(void *arg, const char *bytes, size_t size)
{
	struct written *w = arg;

	assert_true(size > 0);
	text_add(&w->text, bytes, size);
	return ++w->pieces == w->stop_after;
}

static const struct passage bank[] = {
	{ .text = "## Lost cards\n\nCall 0800 447 112 at any hour. A new card costs 11 euros." },
	{ .text = "## Setting up\n\n1. Take the lid off.\n2. Press the button.\n3. Wait.\n\n"
	          "## Reset\n\nPush a pin into the hole. All settings are lost." },
};
static const struct passage shop[] = {
	{ "Manual", 3,
	  "Warranty\n\nThe kettle has a warranty of two years, which you must never give away to anybody else, and which "
	  "covers the lid, the spout and the handle.[12] It begins on the day of purchase.\nSend it back in its box.",
	  NULL },
	{ "Shipping", 0,
	  "We ship to Norway within 5 days, with a parcel service that rings the bell twice and leaves a note in the letter "
	  "box. Express parcels\narrive the next day. Parcels are insured.",
	  NULL },
};
static const struct passage faq[] = {
	{ "Questions", 0,
	  "# Bikes\n\n## How large is the deposit?\n\n80 euros. It is blocked on your card.\n\n"
	  "Q: When are you open?\nA: From 8 to 17 o'clock.\nQ: Do you have lockers?\nA: Yes, ten.\n\n"
	  "**Can parents watch?**\nOn the first day.",
	  NULL }
};
static const struct passage manual[] = {
	{ "Manual", 0,
	  "## 6 Faults\n\n### E01 No water\n\nThe tank is empty. Fill it.\n\n### E02 Pump runs dry\n\n"
	  "Air is in the line. Open the tap.\n\n## 7 Settings\n\n| Setting | Range | Value |\n|---|---|---|\n"
	  "| STEAM | 120-135 | 128 |\n| SLEEP | 10-120 | 45 |\n",
	  NULL }
};
static const struct passage values[] = {
	{ "prices.csv", 0,
	  "sku,article,variety,price\nTD-1,Lilac,Sensation,32.60\nTD-2,Tomato,Ox Heart,70.75\n"
	  "TD-3,Tomato,Tigerella,45.65\nTD-4,Rose,Alba,28.25",
	  NULL },
	{ "more.csv", 0, "TD-8,Fork,Ash,31.60\nTD-9,Rake,Bamboo,60.05\nTD-10,Hoe,Swan,6.50",
	  "Tools\nsku,article,variety,price" }
};
static const struct passage dough[] = {
	{ "Buns", 0,
	  "# Cardamom buns\n\n## Dough\n\n- 500 g flour\n- 75 g sugar\n- 80 g butter\n\n## Filling\n\n- 90 g brown sugar\n",
	  NULL }
};
static const struct passage pages[] = {
	{ "Pages", 0,
	  "# Recipes\n\n## Apple strudel\nServes 8. Vegan. Ready in 90 minutes.\n\n- 250 g flour\n- 1.5 kg sour apples\n- 80 g raisins\n\n"
	  "## Hotline\n\nIt is open on workdays from 7 to 22 o'clock. On Sundays the hotline is a chat.\n\n"
	  "## Guarantee\n\nThe guarantee is for 3 years. Keep the receipt in a dry place that you remember, and show it to whoever asks for it,"
	  " in the shop or at the door, before anything is repaired. Service: 0800 555 2.\n\n"
	  "Lockers\nThe lockers take a coin of 1 euro. What is forgotten is kept for a month.\n",
	  NULL }
};
static const struct passage releases[] = {
	{ "Changes", 0,
	  "# Changes\n\n## 2.1.0 - 2025-03-04\n\n### Added\n\n- Dark colours\n\n### Fixed\n\n- Undo lost the last word\n\n"
	  "## 2.0.0 - 2024-09-17\n\n### Added\n\n- Tags for notes\n\n### Fixed\n\n- The printer hung\n",
	  NULL }
};
static const struct passage inn[] = {
	{ "Inn", 0,
	  "# The inn\n\n## How can I pay?\n\nBy debit card or in cash.\n\n## When does the contract end?\n\nAfter a month, with a letter.\n\n"
	  "## Rooms\n\nEach room has a desk, and a lamp stands beside it. The weight of a desk is 21 kg. A lamp costs 30 euros when it breaks.\n\n"
	  "## Codes\n\nRP-5070 is the black paint, RP-5071 the magnetic one. The option cache_time is 40 seconds.\n",
	  NULL }
};
static const struct passage german[] = {
	{ "Info", 0,
	  "## Umzug melden\n\nBitte melden Sie den Auszug sp\u00e4testens zwei Wochen vorher. Wir brauchen die Z\u00e4hlernummer.",
	  NULL }
};
static const struct passage french[] = {
	{ "Mus\u00e9e", 0,
	  "Le mus\u00e9e \u00c9variste Galois re\u00e7oit les \u00e9l\u00e8ves le mardi matin, avec un guide de la ville qui parle trois langues.",
	  NULL }
};
static const struct passage russian[] = {
	{ "\u041f\u0430\u043c\u044f\u0442\u043a\u0430", 0,
	  "\u041f\u0440\u0438\u0432\u0438\u0432\u043a\u0430 \u043e\u0442 \u0431\u0435\u0448\u0435\u043d\u0441\u0442\u0432\u0430 \u0441\u0442\u043e\u0438\u0442 1100 \u0440\u0443\u0431\u043b\u0435\u0439, "
	  "\u0438 \u0432\u0440\u0430\u0447 \u0441\u0442\u0430\u0432\u0438\u0442 \u0435\u0435 \u0432 \u043b\u044e\u0431\u043e\u0439 \u0434\u0435\u043d\u044c, \u043a\u0440\u043e\u043c\u0435 \u0432\u043e\u0441\u043a\u0440\u0435\u0441\u0435\u043d\u044c\u044f, "
	  "\u043f\u043e\u0442\u043e\u043c\u0443 \u0447\u0442\u043e \u0432 \u0432\u043e\u0441\u043a\u0440\u0435\u0441\u0435\u043d\u044c\u0435 \u043f\u0440\u0438\u043d\u0438\u043c\u0430\u0435\u0442 \u0442\u043e\u043b\u044c\u043a\u043e \u0434\u0435\u0436\u0443\u0440\u043d\u044b\u0439 \u0432\u0440\u0430\u0447, "
	  "\u0430 \u043e\u043d \u043f\u0440\u0438\u0432\u0438\u0432\u043e\u043a \u043d\u0435 \u0441\u0442\u0430\u0432\u0438\u0442, \u043f\u043e\u0442\u043e\u043c\u0443 \u0447\u0442\u043e \u0443 \u043d\u0435\u0433\u043e \u043d\u0435\u0442 \u043d\u0430 \u044d\u0442\u043e \u0432\u0440\u0435\u043c\u0435\u043d\u0438, "
	  "\u0438 \u0442\u0430\u043a \u0431\u044b\u043b\u043e \u0432\u0441\u0435\u0433\u0434\u0430, \u0441 \u0441\u0430\u043c\u043e\u0433\u043e \u043d\u0430\u0447\u0430\u043b\u0430, \u043a\u043e\u0433\u0434\u0430 \u043d\u0430\u0448\u0430 \u043a\u043b\u0438\u043d\u0438\u043a\u0430 \u0435\u0449\u0435 \u0431\u044b\u043b\u0430 \u043c\u0430\u043b\u0435\u043d\u044c\u043a\u043e\u0439.",
	  NULL }
};
static const struct passage chinese[] = {
	{ "\u8bf4\u660e", 0, "\u5305\u88f9\u514d\u8d39\u4fdd\u7ba1\u4e8c\u5341\u56db\u5c0f\u65f6\u3002",
	  NULL }
};

#define IN(list) list, sizeof(list) / sizeof *(list)

static int ask(const char *question, const char *before, const struct passage *passages, size_t count,
               struct written *w, bool cancel, struct arena *a, struct error *err)
{
	const struct model_message messages[] = { { "user", before },
		                                  { "assistant", "..." },
		                                  { "user", question } };
	atomic_bool cancelled = cancel;
	struct model *p = model_builtin();
	struct model_request request = { .question = question,
		                         .welcome = "",
		                         .messages = before ? messages : messages + 2,
		                         .message_count = before ? 3 : 1,
		                         .passages = passages,
		                         .passage_count = count,
		                         .has_documents = true,
		                         .cancelled = &cancelled };
	struct model_result result = { 0 };

	text_init(&w->text, a);
	return p->answer(p, &request, &(struct model_sink){ take, take, w }, &result, a, err);
}

static void test_answers(void **state)
{
	static const struct {
		const char *name, *question, *before;
		const struct passage *passages;
		size_t count;
		const char *want, *not_wanted;
	} cases[] = {
		{ "the sentence that fits, quoted", "How long is the warranty of the kettle?", NULL, IN(shop),
		  "the spout and the handle.", "[2]" },
		{ "says that it quotes", "How long is the warranty of the kettle?", NULL, IN(shop),
		  "This is what the documents say:", "Norway" },
		{ "under its heading", "How long is the warranty of the kettle?", NULL, IN(shop),
		  "> **Warranty**: The kettle", "[12]" },
		{ "other words of the stem", "Which countries are shipped to? Is Norway?", NULL, IN(shop),
		  "leaves a note in the letter box.", "kettle" },
		{ "on one line", "When do express parcels arrive?", NULL, IN(shop),
		  "Express parcels arrive the next day.", "\narrive" },
		{ "a letter missing", "what is the waranty of the ketle", NULL, IN(shop), "two years",
		  "nothing" },
		{ "nothing that fits", "Who was the first president of Brazil?", NULL, IN(shop),
		  "I found nothing about ", ">" },
		{ "and what it looked for", "Do you sell tandems?", NULL, IN(faq), "tandems", "> " },
		{ "no passages", "How long is the warranty?", NULL, shop, 0, "I found nothing", ">" },
		{ "only stop words", "What is it?", NULL, IN(shop), "I found nothing", ">" },
		{ "no words at all", "???", NULL, IN(shop), "I found nothing", ">" },
		{ "a code that is not there", "What does error E09 mean?", NULL, IN(manual), "E09", ">" },

		{ "what stands under a question, not the question", "How large is the deposit?", NULL,
		  IN(faq), "> 80 euros. It is blocked on your card. [1]", "How large" },
		{ "what stands behind A:", "When are you open?", NULL, IN(faq), "> From 8 to 17 o'clock. [1]",
		  "A:" },
		{ "what stands under a bold question", "Can parents watch?", NULL, IN(faq),
		  "> On the first day. [1]", "**" },
		{ "what stands under a fault's heading", "E02", NULL, IN(manual),
		  "> **6 Faults / E02 Pump runs dry**: Air is in the line. Open the tap. [1]", "empty" },
		{ "one row, with its header", "What is the value of STEAM?", NULL, IN(manual),
		  "Setting: STEAM; Range: 120-135; Value: 128 [1]", "SLEEP" },
		{ "a row of values between commas", "What does the Lilac Sensation cost?", NULL, values, 1,
		  "sku: TD-1; article: Lilac; variety: Sensation; price: 32.60", "70.75" },
		{ "rows whose header is in another passage", "price of the bamboo rake", NULL, IN(values),
		  "article: Rake; variety: Bamboo; price: 60.05 [2]", "31.60" },
		{ "all rows of a kind", "Which varieties of tomato do you sell?", NULL, values, 1, "Ox Heart",
		  "Lilac" },
		{ "a list whole", "Which ingredients go into the dough of the buns?", NULL, IN(dough),
		  "- 500 g flour\n> - 75 g sugar\n> - 80 g butter [1]", "brown" },
		{ "all of a list whose heading is asked for", "What do I need for the apple strudel?", NULL,
		  IN(pages), "- 250 g flour\n> - 1.5 kg sour apples\n> - 80 g raisins [1]", "Hotline" },
		{ "one of its items, when that is asked for", "How many apples are in the strudel?", NULL,
		  IN(pages), "1.5 kg sour apples [1]", "flour" },
		{ "a short sentence at the beginning", "How many people does the strudel serve?", NULL,
		  IN(pages), "Serves 8.", "nothing" },
		{ "no sentence twice", "When is the hotline open on Sundays?", NULL, IN(pages),
		  "22 o'clock. On Sundays the hotline is a chat. [1]", "chat. [1]\n\n>" },
		{ "nothing beside it of which only the heading is asked for", "How long is the guarantee?",
		  NULL, IN(pages), "3 years", "0800" },
		{ "what another sentence of the same short paragraph says", "What do I do about a lost card?",
		  NULL, IN(bank), "Call 0800 447 112 at any hour. A new card costs 11 euros.", "nothing" },
		{ "all the steps of what is to be done", "How do I set it up?", NULL, IN(bank),
		  "> - 1. Take the lid off.\n> - 2. Press the button.\n> - 3. Wait. [2]", "lost" },
		{ "under a title right above it", "What coin do lockers take?", NULL, IN(pages),
		  "> **Lockers**: The lockers take a coin of 1 euro.", "Lockers The" },
		{ "a word that is read in parts, as a whole", "How much is an iPhone?", NULL, IN(pages),
		  "nothing about iPhone", "about Phone" },
		{ "the question before tells what this one is about", "And is it blocked?",
		  "How large is the deposit?", IN(faq), "on your card", "nothing" },

		{ "a synonym of what stands there", "How do I terminate the contract?", NULL, IN(inn),
		  "After a month, with a letter.", "nothing" },
		{ "a word of another language", "Wie hoch ist die Kaution?", NULL, IN(faq), "80 euros",
		  "nichts" },
		{ "no card of another kind", "Can I pay by credit card?", NULL, IN(inn), "nothing about",
		  "> " },
		{ "how heavy: kilograms", "How heavy is a desk?", NULL, IN(inn), "21 kg", "nothing" },
		{ "no price where none is told", "What does a reset cost?", NULL, IN(bank), "nothing", "> " },
		{ "no number of what is not told", "How many windows does a room have?", NULL, IN(inn),
		  "nothing about windows", "> " },
		{ "a code whose parts are there, but not it", "What is RP-5099?", NULL, IN(inn), "nothing",
		  "> " },
		{ "a setting of which a part is there", "What is the default of cache_size?", NULL, IN(inn),
		  "nothing", "> " },
		{ "below two headings", "What was fixed in 2.0.0?", NULL, IN(releases),
		  "> **2.0.0 - 2024-09-17 / Fixed**: The printer hung [1]", "Undo" },
		{ "a date in the heading", "When was 2.0.0 released?", NULL, IN(releases), "2024-09-17",
		  "nothing" },
		{ "a slip in a word that says nothing", "how mcuh is a lamp", NULL, IN(inn), "30 euros",
		  "nothing" },
		{ "what is wanted of the first is wanted of the second", "And the lamp?",
		  "What is the weight of a desk?", IN(inn), "lamp", "nothing" },

		{ "German, about German", "Bis wann muss ich einen Umzug melden?", NULL, IN(german),
		  "Das steht dazu in den Dokumenten:", "say" },
		{ "nothing, in German", "Bieten Sie auch Internet \u00fcber Glasfaser an?", NULL, IN(german),
		  "nichts gefunden", "found" },
		{ "without the accents", "musee evariste galois eleves", NULL, IN(french), "le mardi matin",
		  "rien" },
		{ "a long Russian sentence",
		  "\u0421\u043a\u043e\u043b\u044c\u043a\u043e \u0441\u0442\u043e\u0438\u0442 \u043f\u0440\u0438\u0432\u0438\u0432\u043a\u0430 \u043e\u0442 \u0431\u0435\u0448\u0435\u043d\u0441\u0442\u0432\u0430?",
		  NULL, IN(russian), "1100", "\u043d\u0435 \u043d\u0430\u0448\u043b\u043e\u0441\u044c" },
		{ "Chinese", "\u5305\u88f9\u53ef\u4ee5\u514d\u8d39\u4fdd\u7ba1\u591a\u4e45?", NULL,
		  IN(chinese), "\u4e8c\u5341\u56db\u5c0f\u65f6", "say" },

		{ "a greeting", "Hello!", NULL, IN(shop), "Hello!", ">" },
		{ "a greeting of two words", "Guten Tag", NULL, IN(shop), "Guten Tag!", "nothing" },
		{ "a greeting is not all", "Hello, how long is the warranty of the kettle?", NULL, IN(shop),
		  "two years", "Ask me" },
		{ "thanks", "Thanks a lot, that helped", NULL, IN(shop), "welcome", ">" },
		{ "good-bye", "ok bye", NULL, IN(shop), "Good-bye", ">" },
		{ "a greeting in Turkish", "Merhaba", NULL, IN(shop), "Merhaba!", ">" },
		{ "thanks in Arabic", "\u0634\u0643\u0631\u0627 \u062c\u0632\u064a\u0644\u0627", NULL,
		  IN(shop), "\u0627\u0633\u0623\u0644", ">" },
		{ "a greeting in Russian",
		  "\u0417\u0434\u0440\u0430\u0432\u0441\u0442\u0432\u0443\u0439\u0442\u0435", NULL, IN(shop),
		  "\u0417\u0430\u0434\u0430\u0439\u0442\u0435", ">" },
		{ "whether it is one", "Are you a robot?", NULL, IN(shop), "assistant", "nothing" },
		{ "who it is", "Who are you?", NULL, IN(shop), "assistant", "nothing" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error err = { 0 };
		struct written w = { 0 };
		struct arena a;

		print_message("%s\n", cases[i].name);
		arena_init(&a, 0);
		assert_int_equal(ask(cases[i].question, cases[i].before, cases[i].passages, cases[i].count,
		                     &w, false, &a, &err),
		                 0);
		if (!strstr(w.text.at, cases[i].want) || strstr(w.text.at, cases[i].not_wanted))
			fail_msg("%s", w.text.at);
		arena_done(&a);
	}
}

static void test_without_documents(void **state)
{
	atomic_bool no = false;
	struct model_request request = { .question = "How long?", .welcome = "Welcome!", .cancelled = &no };
	struct model *p = model_builtin();
	struct written w = { 0 };
	struct model_result result;
	struct error err = { 0 };
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	text_init(&w.text, &a);
	assert_int_equal(p->answer(p, &request, &(struct model_sink){ take, take, &w }, &result, &a, &err),
	                 0);
	assert_non_null(strstr(w.text.at, "no documents"));
	text_init(&w.text, &a);
	request.question = "hi";
	assert_int_equal(p->answer(p, &request, &(struct model_sink){ take, take, &w }, &result, &a, &err),
	                 0);
	assert_string_equal(w.text.at, "Welcome!");
	arena_done(&a);
}

static void test_pieces_and_stopping(void **state)
{
	struct written w = { .stop_after = 2 };
	struct error err = { 0 };
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	assert_int_equal(ask("How long is the warranty of the kettle?", NULL, IN(shop), &w, false, &a, &err),
	                 0);
	assert_int_equal(w.pieces, 2);
	w = (struct written){ 0 };
	assert_int_equal(ask("How long is the warranty of the kettle?", NULL, IN(shop), &w, true, &a, &err),
	                 -1);
	assert_int_equal(err.code, ERROR_UNAVAILABLE);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_without_documents),
		cmocka_unit_test(test_pieces_and_stopping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
