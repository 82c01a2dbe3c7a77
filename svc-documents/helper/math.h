/* math: a formula as a line of text, "s=(C_b v^2)/100": of MathML, and as Word has them. */
#ifndef PARLEY_DOCUMENTS_MATH_H
#define PARLEY_DOCUMENTS_MATH_H

#include <libxml/tree.h>

#include "svc-documents/helper/helper.h"

void math_write(const xmlNode *formula, struct out *o);

#endif
