/* website/script: is there a tag in a page that loads the widget of that chatbot? Comments do not count. */
#ifndef PARLEY_WEBSITE_SCRIPT_H
#define PARLEY_WEBSITE_SCRIPT_H

#include <stdbool.h>

bool website_has_script(const char *html, const char *chatbot_id);

#endif
