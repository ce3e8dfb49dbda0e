#!/bin/sh
# mypy --strict over every package, under the names that they are installed as: a throw-away folder of links stands
# for the namespace `trainwright`. Run in the root of the repository; MYPY names the program.
set -eu
mkdir -p build/types/trainwright
set --
for folder in graph nodes engineers tools recipes prompts cli examples; do
  ln -sfn "../../../$folder" "build/types/trainwright/$folder"
  set -- "$@" -p "trainwright.$folder"
done
exec "${MYPY:-mypy}" --strict "$@"
