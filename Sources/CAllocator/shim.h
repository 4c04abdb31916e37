#ifndef CALLOCATOR_SHIM_H
#define CALLOCATOR_SHIM_H
#if defined(__linux__)
#include <malloc.h>
#endif
#endif
