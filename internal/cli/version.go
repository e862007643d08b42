package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// versionCommand prints the program's version.
func versionCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "the program's version",
		Args:  noArgument,
		RunE:  func(*cobra.Command, []string) error { return printVersion(c.stdout) },
	}
}

// printVersion writes the name and version of the program.
func printVersion(w io.Writer) error {
	_, err := fmt.Fprintln(w, "tcpwhy", Version)
	return err
}
