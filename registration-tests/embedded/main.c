/* Mounts the services of the static library; ends with 0 when every method is there. */
#include <stddef.h>
#include <stdio.h>

int embedded_methods(void (*each)(const char *, size_t));
int embedded_registered(void);

static void print(const char *uri, size_t length) { printf("%.*s ", (int)length, uri); }

int main(void) {
    int outcome = embedded_methods(print);
    printf("(%d of 4 services registered)\n", embedded_registered());
    return outcome;
}
