# A project of 200 C files: built by several jobs at once, and again after a change.
mkdir src
for i in $(seq 200); do
  printf 'int value_%d(void);\n' "$i" >"src/value_$i.h"
  printf '#include <stdio.h>\n#include "value_%d.h"\n#include "common.h"\n' "$i" >"src/value_$i.c"
  printf 'int value_%d(void) { return snprintf(NULL, 0, "%%0*d", STEP, %d); }\n' "$i" "$i" >>"src/value_$i.c"
  printf 'int value_%d(void);\n' "$i" >>src/all.h
  printf '  sum += value_%d();\n' "$i" >>src/sum.h
done
echo '#define STEP 7' >src/common.h
cat >src/main.c <<'END'
#include <stdio.h>
#include "all.h"
int main(void) {
  int sum = 0;
#include "sum.h"
  printf("%d\n", sum);
  return 0;
}
END
cat >Makefile <<'END'
SOURCES := $(wildcard src/*.c)
OBJECTS := $(SOURCES:src/%.c=build/%.o)
program: $(OBJECTS)
	$(CC) -o $@ $(sort $(OBJECTS))
build/%.o: src/%.c | build
	$(CC) -g -MMD -Isrc -c -o $@ $<
build:
	mkdir $@
-include $(OBJECTS:.o=.d)
END
make -j4 2>&1 | sort
./program
touch -d '1 minute' src/value_100.h src/value_150.h
make -j4 2>&1 | grep -v 'modification time\|Clock skew' | sort
./program
sha256sum program
