/* args: the counting behind DB_ARGS(...). Included by db.h alone. */
#ifndef PARLEY_DB_ARGS_H
#define PARLEY_DB_ARGS_H

#define DB_COUNT(...) DB_COUNT_(_, ##__VA_ARGS__, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define DB_COUNT_(_, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, count, ...) count

#define DB_PASTE(a, b) DB_PASTE_(a, b)
#define DB_PASTE_(a, b) a##b
#define DB_EACH(...) DB_PASTE(DB_EACH_, DB_COUNT(__VA_ARGS__))(__VA_ARGS__)

#define DB_EACH_0()
#define DB_EACH_1(x) , DB_ARG(x)
#define DB_EACH_2(x, ...) , DB_ARG(x) DB_EACH_1(__VA_ARGS__)
#define DB_EACH_3(x, ...) , DB_ARG(x) DB_EACH_2(__VA_ARGS__)
#define DB_EACH_4(x, ...) , DB_ARG(x) DB_EACH_3(__VA_ARGS__)
#define DB_EACH_5(x, ...) , DB_ARG(x) DB_EACH_4(__VA_ARGS__)
#define DB_EACH_6(x, ...) , DB_ARG(x) DB_EACH_5(__VA_ARGS__)
#define DB_EACH_7(x, ...) , DB_ARG(x) DB_EACH_6(__VA_ARGS__)
#define DB_EACH_8(x, ...) , DB_ARG(x) DB_EACH_7(__VA_ARGS__)
#define DB_EACH_9(x, ...) , DB_ARG(x) DB_EACH_8(__VA_ARGS__)
#define DB_EACH_10(x, ...) , DB_ARG(x) DB_EACH_9(__VA_ARGS__)
#define DB_EACH_11(x, ...) , DB_ARG(x) DB_EACH_10(__VA_ARGS__)
#define DB_EACH_12(x, ...) , DB_ARG(x) DB_EACH_11(__VA_ARGS__)
#define DB_EACH_13(x, ...) , DB_ARG(x) DB_EACH_12(__VA_ARGS__)
#define DB_EACH_14(x, ...) , DB_ARG(x) DB_EACH_13(__VA_ARGS__)
#define DB_EACH_15(x, ...) , DB_ARG(x) DB_EACH_14(__VA_ARGS__)
#define DB_EACH_16(x, ...) , DB_ARG(x) DB_EACH_15(__VA_ARGS__)

#endif
