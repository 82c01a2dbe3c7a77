#!/usr/bin/env bash
# readme.sh: run the README's first conversation, line by line, against the stack at PARLEY_PORT (8000).
