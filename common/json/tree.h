/*
 * json_tree: the tree of a text that json_scan() has taken. For json.c alone.
 *
 * json-c's own parser would judge the text a second time, and changes the thread's locale for each.
 */
#ifndef PARLEY_JSON_TREE_H
#define PARLEY_JSON_TREE_H

#include <json-c/json.h>
#include <stddef.h>

/* 0 with *ret the caller's (a null is NULL); or -1, and *why: what only a tree can tell. */
int json_tree(const char *bytes, size_t length, json_object **ret, const char **why);

#endif
