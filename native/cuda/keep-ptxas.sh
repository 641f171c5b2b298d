#!/bin/sh
# keep-ptxas.sh NVCC ARGUMENT... -o OBJECT ...    runs it; what `-Xptxas=-v` tells goes to OBJECT.ptxas, the rest to the terminal.
object=
last=
for word; do
  if [ "$last" = -o ]; then object=$word; fi
  last=$word
done
"$@" 2>"$object.ptxas"
code=$?
grep -v -e '^ptxas info' -e 'bytes stack frame' "$object.ptxas" >&2
exit $code
