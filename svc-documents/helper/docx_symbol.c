/* Letters of fonts that have signs in their place. */
#include <strings.h>

#include "svc-documents/helper/docx.h"

const char *docx_symbol(const char *font, long code)
{
	static const struct {
		int code;
		const char *text;
	} symbols[] = { { 0xb0, "°" }, { 0xb1, "±" }, { 0xb4, "×" }, { 0xb7, "•" }, { 0xa3, "≤" },
		        { 0xb3, "≥" }, { 0xb9, "≠" }, { 0xbb, "≈" }, { 0xa5, "∞" }, { 0xac, "←" },
		        { 0xae, "→" }, { 0xd7, "·" }, { 0x6d, "μ" }, { 0x61, "α" }, { 0x62, "β" },
		        { 0x67, "γ" }, { 0x64, "δ" }, { 0x65, "ε" }, { 0x6c, "λ" }, { 0x70, "π" },
		        { 0x73, "σ" }, { 0x66, "φ" }, { 0x77, "ω" }, { 0x57, "Ω" }, { 0x44, "Δ" },
		        { 0x53, "Σ" }, { 0x2d, "−" }, { 0xd6, "√" } },
	  dings[] = { { 0xfc, "✓" }, { 0xfb, "✗" }, { 0xfe, "☑" }, { 0xa8, "☐" },
		      { 0x6f, "☐" }, { 0xe0, "→" }, { 0x28, "☎" } };
	bool ding = strncasecmp(font, "wingdings", 9) == 0;

	code &= 0xff;
	for (size_t i = 0; !ding && i < sizeof symbols / sizeof *symbols; i++)
		if (symbols[i].code == code)
			return symbols[i].text;
	for (size_t i = 0; ding && i < sizeof dings / sizeof *dings; i++)
		if (dings[i].code == code)
			return dings[i].text;
	return ding ? "•" : " ";
}
