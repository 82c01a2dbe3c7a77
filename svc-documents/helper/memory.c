/* Memory, or the program's end: it lives for one file, and who started it is told why. */
#include "svc-documents/helper/helper.h"

void *there(void *memory)
{
	if (!memory)
		end(VERDICT_TOO_LARGE, "out of memory");
	return memory;
}
