package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tcpwhy/output"
)

// completionCommand writes what a shell needs to complete command lines of the program.
func completionCommand(c *console) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "completion for bash, zsh, fish or powershell",
		Long: "Writes a script that completes command lines of the program in a shell: bash,\n" +
			"zsh, fish or powershell. Packages bring it along.",
		Example: "tcpwhy completion bash > /etc/bash_completion.d/tcpwhy\n" +
			"tcpwhy completion zsh > \"${fpath[1]}/_tcpwhy\"\n" +
			"tcpwhy completion fish > ~/.config/fish/completions/tcpwhy.fish\n" +
			"tcpwhy completion powershell | Out-String | Invoke-Expression",
		Args:      oneArgument("SHELL", "bash, zsh, fish or powershell"),
		ValidArgs: shells,
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(c.stdout, true)
			case "zsh":
				return root.GenZshCompletion(c.stdout)
			case "fish":
				return root.GenFishCompletion(c.stdout, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(c.stdout)
			}
			return &usageError{
				fmt.Sprintf(
					"no completion for %q: not one of %s",
					args[0],
					strings.Join(shells, ", "),
				),
				suggestion(args[0], shells),
			}
		},
	}
}

// completing reports whether a shell asks for completions.
func completing(args []string) bool {
	return len(args) > 0 &&
		(args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd)
}

// describeShortly leaves of what flags mean what fits a line beside them.
func describeShortly(root *cobra.Command) {
	for _, cmd := range append(root.Commands(), root) {
		cmd.Flags().VisitAll(func(g *pflag.Flag) {
			_, text := pflag.UnquoteUsage(g)
			text, _, _ = strings.Cut(strings.ReplaceAll(text, "\n", " "), "; ")
			text, _, _ = strings.Cut(text, ": ")
			g.Usage = text
		})
	}
}

// completeInputs completes the first word of an analysis: a file. What a shell does itself is left
// to it, unless commands begin likewise, which it would offer alone.
func completeInputs(
	cmd *cobra.Command, args []string, typed string,
) ([]cobra.Completion, cobra.ShellCompDirective) {
	const most = 200 // files: who has more types on
	if len(args) > 0 || typed == "" || !startsCommand(cmd, typed) {
		return nil, cobra.ShellCompDirectiveDefault
	}
	files, _ := filepath.Glob(escapeGlob(typed) + "*") // its pattern is right
	for i, name := range files {
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			files[i] += string(filepath.Separator)
		}
	}
	return files[:min(len(files), most)], cobra.ShellCompDirectiveDefault
}

// startsCommand reports whether a command's name begins so.
func startsCommand(cmd *cobra.Command, typed string) bool {
	for _, name := range commandNames(cmd.Root()) {
		if strings.HasPrefix(name, typed) {
			return true
		}
	}
	return false
}

// escapeGlob is a pattern that matches text alone.
func escapeGlob(text string) string {
	return strings.NewReplacer(`*`, `[*]`, `?`, `[?]`, `[`, `[[]`).Replace(text)
}

// completeFlags completes the values of the flags of an analysis, and of those of other commands
// that are called alike.
func completeFlags(cmd *cobra.Command) {
	values := map[string][]cobra.Completion{
		"color":        colorChoices(),
		"min-severity": severities(),
		"fail-on":      severities(),
	}
	for _, f := range output.Formats() {
		values["format"] = append(values["format"], cobra.CompletionWithDesc(f.Name, f.For))
	}
	for name, all := range values {
		completeFlag(cmd, name, func() []cobra.Completion { return all })
	}
	for _, name := range []string{"explain", "only", "skip"} {
		completeFlag(cmd, name, completeRules)
	}
	completeFlag(cmd, "interface", interfaceNames)
}

// completeFlag completes the value of a flag, if the command has it. Several, by commas, are
// completed one by one.
func completeFlag(cmd *cobra.Command, name string, values func() []cobra.Completion) {
	flag := cmd.Flags().Lookup(name)
	if flag == nil {
		return
	}
	_, several := flag.Value.(pflag.SliceValue)
	err := cmd.RegisterFlagCompletionFunc(name, func(
		_ *cobra.Command, _ []string, typed string,
	) ([]cobra.Completion, cobra.ShellCompDirective) {
		all := values()
		if i := strings.LastIndexByte(typed, ','); several && i >= 0 {
			for j := range all {
				all[j] = typed[:i+1] + all[j]
			}
		}
		return all, cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // the flag is there, and registered once
	}
}
