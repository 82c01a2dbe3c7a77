/* links: svc-chat/model/think.c */
#include "svc-chat/model/think.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *name, *text, *answer, *thought;
} cases[] = {
	{ "plain", "Two years [1].", "Two years [1].", "" },
	{ "a block", "<think>\nHm.\n</think>\n\nYes", "Yes", "\nHm.\n" },
	{ "other tags", "<thinking>Hm.</thinking>[THINK]So.[/THINK] Yes", "Yes", "Hm.So." },
	{ "other signs", "◁think▷Hm.◁/think▷Yes", "Yes", "Hm." },
	{ "blanks before it", " \n<think>Hm.</think>Yes", "Yes", "Hm." },
	{ "never closed", "<think>Let me look", "", "Let me look" },
	{ "in words", "Here is my thought process:\nHm.\nHere is my response:\nYes", "Yes", "\nHm.\n" },
	{ "an answer that begins with such words", "Here is my response:\n\nDear Ada",
	  "Here is my response:\n\nDear Ada", "" },
	{ "closed only", "Let me see.\n</think>\n\nYes", "Yes", "Let me see.\n" },
	{ "closed only, at the start", "</think>\nYes", "Yes", "" },
	{ "a tag that is talked about", "Use `</think>` and <think> here", "Use `</think>` and <think> here",
	  "" },
	{ "a block, and a tag that is talked about", "<think>a</think>Write </think> last",
	  "Write </think> last", "a" },
	{ "nearly a tag", "<thin>k</thin>", "<thin>k</thin>", "" },
	{ "nearly a closing tag", "<think>a</thi b</think>c", "c", "a</thi b" },
	{ "the beginning of a tag is all", "<thi", "<thi", "" },
	{ "channels",
	  "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Yes [1].<|return|>",
	  "Yes [1].", "Hm." },
	{ "channels with a role first",
	  "<|start|>assistant<|channel|>commentary to=x <|constrain|>json<|message|>{}<|call|><|start|>assistant<|channel|>"
	  "final<|message|>a < b <| c",
	  "a < b <| c", "{}" },
	{ "the final channel alone", "<|channel|>final<|message|>Yes", "Yes", "" },
	{ "nothing but blanks", " \n ", "", "" },
	{ "in capitals", "<Think>Hm.</THINK>Yes", "Yes", "Hm." },
	{ "an answer in a tag, behind thought", "<think>Hm.</think>\n<answer>\nYes</answer>\n", "Yes",
	  "Hm." },
	{ "an answer in a tag, without thought", "<answer>Yes</answer>", "<answer>Yes</answer>", "" },
	{ "Cohere's tokens", "<|START_THINKING|>Hm.<|END_THINKING|><|START_RESPONSE|>Yes<|END_RESPONSE|>",
	  "Yes", "Hm." },
	{ "Gemma's channel", "<|channel>thought\nHm.<channel|>Yes<turn|>", "Yes", "\nHm." },
	{ "channels of which only the words are left", "analysisThe user asks.assistantfinalYes", "Yes",
	  "The user asks." },
	{ "a word that begins so", "analysis of it: assistantfinal", "analysis of it: assistantfinal", "" },
	{ "the template's own beginning", "<|im_start|>assistant\nYes<|im_end|>", "Yes", "" },
	{ "Llama's own beginning", "<|start_header_id|>assistant<|end_header_id|>\n\nYes<|eot_id|>", "Yes",
	  "" },
	{ "a beginning that is none", "<s>truck</s> out", "truck</s> out", "" },
	{ "a token that ends the turn", "Yes [1].<|im_end|>", "Yes [1].", "" },
	{ "several, and blanks", "Yes </s>\n</s> <|endoftext|>\n", "Yes ", "" },
	{ "a turn that nobody asked for", "Yes<|im_end|>\n<|im_start|>user\nAnd?<|im_end|>", "Yes", "" },
	{ "a token that is spoken of", "It is <|im_end|> here and `</s>` there",
	  "It is <|im_end|> here and `</s>` there", "" },
	{ "a token in backticks at the end", "Write `</s>", "Write `</s>", "" },
	{ "more tokens than are held",
	  "a</s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s>b",
	  "a</s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s></s>b",
	  "" },
	{ "the beginning of a token at the end", "Yes <|im_e", "Yes <|im_e", "" },
	{ "a class that is called so", "AnalysisException comes from Spark.",
	  "AnalysisException comes from Spark.", "" },
	{ "a template in a code block",
	  "ChatML:\n```\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nYes<|im_end|>\n```\nSo.",
	  "ChatML:\n```\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nYes<|im_end|>\n```\nSo.",
	  "" },
	{ "tags in a code block", "So:\n````xml\n```\n<think>\nHm.\n</think>\nYes\n````\n",
	  "So:\n````xml\n```\n<think>\nHm.\n</think>\nYes\n````\n", "" },
	{ "tags in backticks", "It writes `<think>Hm.</think>` first.",
	  "It writes `<think>Hm.</think>` first.", "" },
	{ "an answer that is XML", "<r>\n <reasoning>Hm.</reasoning>\n <answer>Yes</answer>\n</r>",
	  "<r>\n <reasoning>Hm.</reasoning>\n <answer>Yes</answer>\n</r>", "" },
	{ "an answer with other XML", "So:\n<analysis>Hm.</analysis>\n<output>Yes</output>\n",
	  "So:\n<analysis>Hm.</analysis>\n<output>Yes</output>\n", "" },
	{ "an answer in a tag of another kind, behind thought",
	  "<analysis>Hm.</analysis><output>Yes</output>", "Yes", "Hm." },
	{ "XML in an answer, with more than its name",
	  "See: <analysis lang=\"en\">Fine.</analysis> That is all.",
	  "See: <analysis lang=\"en\">Fine.</analysis> That is all.", "" },
	{ "a tag that holds nothing", "<think/>\n\nYes", "Yes", "" },
	{ "a role that nobody asked for", "Yes<|user|>", "Yes", "" },
	{ "an answer about roles", "GLM marks turns with <|user|> and <|assistant|>.",
	  "GLM marks turns with <|user|> and <|assistant|>.", "" },
	{ "a token right behind a code block", "```c\nx\n```<|im_end|>", "```c\nx\n```", "" },
	{ "a token right behind backticks", "It is `x`</s>", "It is `x`", "" },
	{ "closed only, behind a code block", "Hm:\n```c\nx\n```\nSo.\n</think>Yes", "Yes",
	  "Hm:\n```c\nx\n```\nSo.\n" },
	{ "closed only, by the end of a turn",
	  "Hm.<|end|><|start|>assistant<|channel|>final<|message|>Yes<|return|>", "Yes", "Hm." },
};

static void play(size_t i, size_t piece)
{
	struct text answer, thought, given;
	struct think t;
	struct arena a;
	size_t size = strlen(cases[i].text);

	arena_init(&a, 0);
	text_init(&answer, &a);
	text_init(&thought, &a);
	text_init(&given, &a);
	think_init(&t);
	for (size_t at = 0; at < size; at += piece) {
		think_feed(&t, cases[i].text + at, size - at < piece ? size - at : piece, &answer, &thought);
		if (t.taken_back) { /* what the caller had given out already */
			given.length = 0;
			given.at[0] = '\0';
			t.taken_back = false;
		}
		text_add(&given, answer.at, answer.length);
		answer.length = 0;
	}
	think_end(&t, &answer, &thought);
	text_add(&given, answer.at, answer.length);
	assert_string_equal(given.at, cases[i].answer);
	if (piece >= size || !strstr(cases[i].name, "closed only"))
		assert_string_equal(thought.at, cases[i].thought);
	arena_done(&a);
}

static void test_every_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		print_message("%s\n", cases[i].name);
		for (size_t piece = strlen(cases[i].text); piece > 0; piece--)
			play(i, piece);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_every_split) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
