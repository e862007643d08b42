package main

import (
	"os"
	"runtime/debug"
)

// softMemory is from how much memory on, in octets, garbage is collected more often. What is kept is bounded elsewhere;
// without this as much again could be garbage.
const softMemory = 256 << 20

// limitMemory makes the garbage collector keep to softMemory where it can, unless the environment says otherwise.
func limitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
}
