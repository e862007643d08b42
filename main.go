// Tcpwhy reads packet captures and says what made their HTTP exchanges slow or broke them: which
// cause, what it cost, which frames prove it, and what to change.
package main

import (
	"os"

	"tcpwhy/internal/cli"
)

func main() {
	cli.LimitMemory()
	os.Exit(cli.Run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
