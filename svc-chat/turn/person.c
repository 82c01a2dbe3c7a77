#include "svc-chat/turn/person.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 400 /* bytes: a question that long is about something */ };

/* In lower case. As people say it: a verb of speaking and whom, so that "a person may carry" asks for nobody. */
static const char *const phrases[] = {
	"talk to a human",
	"talk to a person",
	"talk to a real person",
	"talk to someone",
	"talk to somebody",
	"talk to an agent",
	"talk with a human",
	"talk with a person",
	"speak to a human",
	"speak to a person",
	"speak to a real person",
	"speak to someone",
	"speak to somebody",
	"speak to an agent",
	"speak with a human",
	"speak with a person",
	"speak with someone",
	"chat with a human",
	"connect me to a human",
	"connect me with a human",
	"want a human",
	"need a human",
	"human agent",
	"live agent",
	"human, please",
	"human please",
	"mit einem menschen",
	"mit einem mitarbeiter",
	"mit einer mitarbeiterin",
	"mit jemandem sprechen",
	"parler à un humain",
	"parler à quelqu'un",
	"parler à une personne",
	"parler avec un conseiller",
	"hablar con una persona",
	"hablar con un humano",
	"hablar con alguien",
	"hablar con un agente",
	"parlare con una persona",
	"parlare con un operatore",
	"falar com uma pessoa",
	"falar com um atendente",
};

bool person_asked_for(const char *question, struct arena *a)
{
	char *lower;

	if (!question || strlen(question) > LONGEST)
		return false;
	lower = arena_strdup(a, question);
	for (char *c = lower; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
		if (strstr(lower, phrases[i]))
			return true;
	return false;
}
