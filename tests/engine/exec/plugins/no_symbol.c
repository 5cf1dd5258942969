/* A shared library that is no plugin. */
int some_other_library(void);
int some_other_library(void) { return 1; }
