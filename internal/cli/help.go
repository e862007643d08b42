package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpCommand is --help for hands used to other programs.
func helpCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "how the program, or a command, is called",
		Args:  cobra.ArbitraryArgs,
		ValidArgsFunction: func(
			cmd *cobra.Command, args []string, _ string,
		) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return commandNames(cmd.Root()), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			about, err := commandOf(cmd.Root(), args)
			if err != nil {
				return err
			}
			_, err = io.WriteString(c.stdout, helpOf(about))
			return err
		},
	}
}

// commandOf is the command that words name; the analysis if there are none.
func commandOf(root *cobra.Command, words []string) (*cobra.Command, error) {
	if len(words) == 0 {
		return root, nil
	}
	for _, cmd := range root.Commands() {
		if cmd.Name() == words[0] && len(words) == 1 {
			return cmd, nil
		}
	}
	word, hint := strings.Join(words, " "), "tcpwhy --help lists the commands"
	if s := suggestion(word, commandNames(root)); s != "" {
		hint = s + " " + hint
	}
	return nil, &usageError{fmt.Sprintf("no command is named %q", word), hint}
}

// helpOf is what --help prints of a command, in 80 columns.
func helpOf(cmd *cobra.Command) string {
	flags := describe(cmd.Flags())
	if !cmd.HasParent() {
		return aboutText + callsText + commandTable(cmd) + "\nExamples:" + exampleText +
			"\nFlags:\n" + flags + exitText
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n  %s\n", sentence(cmd), cmd.UseLine())
	if cmd.Example != "" {
		fmt.Fprintf(&b, "\nExamples:\n  %s\n", strings.ReplaceAll(cmd.Example, "\n", "\n  "))
	}
	fmt.Fprintf(&b, "\nFlags:\n%s", flags)
	return b.String()
}

// sentence is what a command does, in sentences.
func sentence(cmd *cobra.Command) string {
	if cmd.Long != "" {
		return cmd.Long
	}
	return "Prints " + cmd.Short + "."
}

// commandTable lists the commands for --help.
func commandTable(root *cobra.Command) string {
	var b strings.Builder
	for _, cmd := range root.Commands() {
		if !cmd.Hidden {
			fmt.Fprintf(&b, "  %-28s %s\n", cmd.UseLine(), cmd.Short)
		}
	}
	return b.String()
}

// describe lists the flags for --help, in 80 columns.
func describe(f *pflag.FlagSet) string {
	const indent = 24
	var b strings.Builder
	f.VisitAll(func(g *pflag.Flag) {
		name := flagName(g)
		if len(name) > indent-1 {
			name += "\n" + strings.Repeat(" ", indent-1)
		}
		_, text := pflag.UnquoteUsage(g)
		text = strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", indent))
		fmt.Fprintf(&b, "%-*s %s\n", indent-1, name, text)
	})
	return b.String()
}

// flagName is a flag with its value, as a line of --help begins.
func flagName(g *pflag.Flag) string {
	value, _ := pflag.UnquoteUsage(g)
	if g.Value.Type() == "bool" {
		value = ""
	}
	short := "    "
	if g.Shorthand != "" {
		short = "-" + g.Shorthand + ", "
	}
	return strings.TrimRight("  "+short+"--"+g.Name+" "+value, " ")
}
