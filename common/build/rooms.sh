#!/usr/bin/env bash
# rooms.sh [DIR]: holds the tree to its rooms; says each breach as FILE:LINE: WHY, at last what to do about it, and fails.
#
#   - common/ is rooms: base <- text, secret, json, db, egress <- oauth, rpc, stream <- service <- job. A file includes
#     files of its own room and of those below it; common and proto know no service and no gateway.
#   - internal.h is for the files of its room.
#   - A service includes itself and common, the gateway itself and common (but nothing of jobs).
#   - In a room, a service or the gateway a struct, union or enum of one name is one thing, and a function that is not
#     static stands once.
#   - A table of statements of a service is named in its main.c, which prepares it, and (but for svc-auth, whose tables are
#     never spread) in tests/unit/test_<service>_statements.c, which holds it to sharded.h.
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"

find common gateway svc-* proto/generate tests/unit/test_*_statements.c -name '*.[ch]' ! -path '*/build/*' | LC_ALL=C sort | xargs awk '
BEGIN {
	n = split("base 1 text 2 secret 2 json 2 db 2 egress 2 oauth 3 rpc 3 stream 3 service 4 job 5", words, " ")
	for (i = 1; i < n; i += 2)
		level[words[i]] = words[i + 1]
}

function breach(why, cure) { print FILENAME ":" FNR ": " why; breaches++; cures[cure] }
BEGIN {
	lower = "An include goes to the own room or to one below (ARCHITECTURE.md, \"The map\"): what needs more belongs into a room" \
	        " above, or is handed what it needs, as an argument or a function. Services know each other by generated clients alone."
	private = "What others need of a room stands in a header of its own, not in internal.h."
	listed = "A new room is named in the map of ARCHITECTURE.md and in the levels of common/build/rooms.sh."
	once = "One name is one thing in a room: rename one of the two, or use the one that is there."
	table = "A table of statements is named in main.c, so that it is prepared, and in tests/unit/test_<service>_statements.c."
}

# The room, service or program that a file belongs to: "common/db", "svc-chat", "gateway".
function home_of(file,   part) {
	split(file, part, "/")
	if (part[1] == "common" || part[1] == "proto")
		return part[1] "/" part[2]
	return part[1] ~ /^svc-/ && part[2] == "helper" ? part[1] "/helper" : part[1]
}

function room_of(home) { return substr(home, 1, 7) == "common/" ? substr(home, 8) : "" }

function look_at_include(file,   to, room) {
	to = home_of(file)
	room = room_of(to)
	if (file !~ /^(common|gateway|proto|svc-[a-z]+)\// || to == home || to == home "/helper" && file ~ /\.h$/)
		return
	if (file ~ /\/internal\.h$/)
		breach("internal.h of " to " is for its own room", private)
	else if (room == "")
		breach(home " may not know " to, lower)
	else if (!(room in level))
		breach("common/" room " is no room", listed)
	else if (home == "proto/generate" && room != "base" && room != "json" || home == "gateway" && room == "job")
		breach(home " may not know common/" room, lower)
	else if (room_of(home) != "" && level[room] >= level[room_of(home)])
		breach("common/" room_of(home) " may not know common/" room ", which is not below it", lower)
}

function defines(kind, name,   key) {
	key = home " " kind " " name
	if (key in seen)
		breach(kind " " name " is defined in " seen[key] " too", once)
	seen[key] = FILENAME ":" FNR
}

FNR == 1 {
	home = home_of(FILENAME)
	heading = ""
	names_of = FILENAME
	sub(/^tests\/unit\/test_/, "svc-", names_of)
	sub(/_statements\.c$|\/main\.c$/, FILENAME ~ /^tests/ ? " test" : " main", names_of)
	if (room_of(home) != "" && !(room_of(home) in level) && home != "common/build")
		breach(home " is no room", listed)
}

names_of ~ / (main|test)$/ {
	n = split($0, words, /[^a-z_0-9]+/)
	for (i = 1; i <= n; i++)
		named[names_of, words[i]]
}
FILENAME ~ /^tests/ { next }

home ~ /^svc-/ && /^const struct db_stmt [a-z_0-9]+\[\] = / {
	split($4, word, "[")
	tables[home, word[1]] = FILENAME ":" FNR ": "
}

/^#include "/ { split($0, quoted, "\""); look_at_include(quoted[2]); next }

/^(typedef |static |static const |extern )*(struct|union|enum) [a-z_0-9]+ \{/ {
	match($0, /(struct|union|enum) [a-z_0-9]+ \{/)
	split(substr($0, RSTART, RLENGTH), word, " ")
	defines(word[1], word[2])
	next
}

# The heading of a function, which may take several lines, until its brace.
/^[a-zA-Z_].*\(/ { heading = $0 ~ /^(static|typedef|extern|struct [a-z_]+ \{|OWN_DEFINE)/ ? "" : $0 }
heading != "" && /[;={]$|^#/ && !/^\{$/ { heading = "" }
heading != "" && /^\{$/ {
	name = heading
	sub(/\(.*/, "", name)
	sub(/.*[ *]/, "", name)
	if (FILENAME ~ /\.c$/ && name != "main")
		defines("function", name)
	heading = ""
}

function unlisted(place, why) { print place why; breaches++; cures[table] }

END {
	for (key in tables) {
		split(key, part, SUBSEP)
		if (!((part[1] " main", part[2]) in named))
			unlisted(tables[key], part[2] " is not among the .statements of " part[1] "/main.c")
		if (part[1] != "svc-auth" && !((part[1] " test", part[2]) in named))
			unlisted(tables[key], part[2] " is not named in tests/unit/test_" substr(part[1], 5) "_statements.c," \
			         " which looks for the owner in each statement")
	}
	for (cure in cures)
		print cure
	exit breaches > 0
}
'
