/*
 * kept: readers live in a program that ends when it has read one file, and give back little. What a run of such a reader takes
 * and keeps is given back behind it, but for what the libraries keep of a few bytes. What is taken by the first runs is not:
 * the libraries' own, for good.
 */
#ifndef PARLEY_TESTS_KEPT_H
#define PARLEY_TESTS_KEPT_H

void kept_begin(void);
void kept_end(void);

#endif
