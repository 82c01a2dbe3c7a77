/* The text of a PDF, by poppler's pdftotext. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "svc-documents/helper/helper.h"
#include "svc-documents/helper/jail.h"

/* How the program ended is how we end. */
static void check(int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		end(VERDICT_TOO_SLOW, "pdftotext took too long");
	if (WIFSIGNALED(status))
		end(VERDICT_DAMAGED, "pdftotext was ended");
	if (WEXITSTATUS(status))
		_exit(WEXITSTATUS(status)); /* it has said why */
}

static const char *find(const char *here, const char *there)
{
	return access(here, X_OK) == 0 ? here : there;
}

void pdf_read(const struct jail *jail, struct out *o)
{
	char last[16];
	/* One page more than are taken tells that there are too many. */
	char *argv[] = { "pdftotext", "-enc", "UTF-8", "-eol", "unix", "-l", last, "-", "-", NULL };
	struct jailed p;
	char *text;
	size_t size;
	int status;

	snprintf(last, sizeof last, "%d", PAGES_MAX + 1);
	jail_start(jail, find("/usr/bin/pdftotext", "/usr/local/bin/pdftotext"), argv, &p);
	text = jail_finish(jail, &p, OUTPUT_MAX, &size, &status);
	check(status);
	out_plain(o, text, size);
}
