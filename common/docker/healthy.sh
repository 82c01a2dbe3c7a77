#!/bin/bash
# healthy PORT: does this container's admin port say that the process can do its work?
exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
printf 'GET /readyz HTTP/1.0\r\n\r\n' >&3
read -r -t 4 status <&3 && [[ $status == *" 200 "* ]]
