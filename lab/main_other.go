//go:build !linux

package main

import (
	"fmt"
	"os"
)

// Network namespaces and TAP devices exist on Linux alone.
func main() {
	fmt.Fprintln(os.Stderr, "lab: needs Linux: it joins network namespaces by TAP devices")
	os.Exit(2)
}
