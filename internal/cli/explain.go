package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"tcpwhy/analysis"
)

// explainCommand explains a rule.
func explainCommand(c *console) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "explain RULE",
		Short: "what a rule means and when it is wrong",
		Long: "Explains a rule: what happens, how it is recognised, how its cost is counted,\n" +
			"when it is wrong, and what may be changed.",
		Example: "tcpwhy explain nagle-delayed-ack",
		Args:    oneArgument("RULE", "tcpwhy rules lists them"),
		ValidArgsFunction: func(
			_ *cobra.Command, args []string, _ string,
		) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return completeRules(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			o.explain = args[0]
			if err := o.checkExplain(); err != nil {
				return err
			}
			return explain(o, c.stdout)
		},
	}
	colorFlag(cmd.Flags(), &o.color)
	return cmd
}

// rulesCommand lists all rules.
func rulesCommand(c *console) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "all rules",
		Long:  "Lists all rules, each with what it finds.",
		Args:  noArgument,
		RunE: func(*cobra.Command, []string) error {
			if err := o.checkColor(); err != nil {
				return err
			}
			return listRules(o, c.stdout)
		},
	}
	colorFlag(cmd.Flags(), &o.color)
	return cmd
}

// completeRules are the names of all rules, with what they find.
func completeRules() []cobra.Completion {
	var all []cobra.Completion
	for _, r := range analysis.Rules() {
		all = append(all, cobra.CompletionWithDesc(r.Name, r.Title))
	}
	return all
}

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
	_, err := fmt.Fprintln(w, "tcpwhy", version())
	return err
}
