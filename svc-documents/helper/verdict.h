/* verdict: how parley-extract ends, when it does not end well. pdftotext's own are 1 (damaged) to 3 and 99. */
#ifndef PARLEY_DOCUMENTS_VERDICT_H
#define PARLEY_DOCUMENTS_VERDICT_H

enum {
	VERDICT_DAMAGED = 1,
	VERDICT_TOO_LARGE = 40,
	VERDICT_ENCRYPTED = 41,
	VERDICT_CANNOT_RUN = 42,
	VERDICT_TOO_SLOW = 43,
	VERDICT_SAYS_WHY = 44, /* in a sentence for the owner of the file */
};

#endif
