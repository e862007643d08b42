package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// commands are all commands beside the analysis itself, which has no name; each in a file of its
// own.
func commands() []func(*console) *cobra.Command {
	return []func(*console) *cobra.Command{
		compareCommand,
		mergeCommand,
		explainCommand,
		rulesCommand,
		completionCommand,
		helpCommand,
		versionCommand,
		manCommand,
	}
}

// console is where a command reads and writes, and how it ended.
type console struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	status  int   // of a command that returned no error
	helpErr error // of writing help, which a function of the library's cannot return
}

// execute has the command of args do its work.
func (c *console) execute(args []string) error {
	root := newRoot(c)
	if completing(args) {
		describeShortly(root)
	}
	// The library would take those of the process for none.
	root.SetArgs(append([]string{}, args...))
	if err := root.Execute(); err != nil {
		return err
	}
	return c.helpErr
}

// newRoot is the analysis with all commands. It is made anew for each run: flags keep their values.
func newRoot(c *console) *cobra.Command {
	root := analysisCommand(c)
	root.SetIn(c.stdin)
	root.SetOut(c.stdout)
	root.SetErr(c.stderr)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.DisableDefaultCmd = true // completion.go
	for _, newCommand := range commands() {
		addCommand(root, newCommand(c))
	}
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		_, err := io.WriteString(c.stdout, helpOf(cmd))
		c.helpErr = errors.Join(c.helpErr, err)
	})
	return root
}

// addCommand adds what every command has.
func addCommand(root, cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	f.BoolP("help", "h", false, "print this")
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return flagError(err, cmd.Flags(), cmd.CommandPath())
	})
	cmd.DisableFlagsInUseLine = true
	root.AddCommand(cmd)
	if cmd.Name() == "help" {
		root.SetHelpCommand(cmd)
	}
}

// analysisCommand is what the program does if no command is named: the analysis of files or of what
// an interface sees, and what is asked for by flags alone.
func analysisCommand(c *console) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:                   "tcpwhy [flags] FILE...",
		Short:                 "say what made HTTP exchanges slow or broke them",
		Args:                  cobra.ArbitraryArgs,
		ValidArgsFunction:     completeInputs,
		DisableFlagsInUseLine: true,
	}
	f := cmd.Flags()
	f.SortFlags = false
	addFlags(f, o)
	completeFlags(cmd)
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return o.refuse(c.stdout, flagError(err, f, cmd.CommandPath()))
	})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		err := o.complete(f)
		if err == nil {
			err = checkWord(cmd, args)
		}
		if err != nil {
			return o.refuse(c.stdout, err)
		}
		c.status, err = o.run(c)
		return err
	}
	return cmd
}

// checkWord tells of a command that was typed wrongly: the first argument, which is then taken for
// an input, if there is no file of that name.
func checkWord(root *cobra.Command, args []string) error {
	if len(args) == 0 || strings.ContainsAny(args[0], `./\`) {
		return nil
	}
	if _, err := os.Stat(args[0]); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	names := commandNames(root)
	name := nearest(args[0], names)
	if name == "" || slices.Contains(names, args[0]) { // behind --
		return nil
	}
	return &usageError{
		fmt.Sprintf("%q is no command, and there is no file of that name", args[0]),
		"did you mean tcpwhy " + name + "? tcpwhy --help lists the commands",
	}
}

// commandNames are the commands that help speaks of.
func commandNames(root *cobra.Command) []string {
	var names []string
	for _, cmd := range root.Commands() {
		if !cmd.Hidden {
			names = append(names, cmd.Name())
		}
	}
	return names
}

// oneArgument checks that a command got one argument, which is called what.
func oneArgument(what, hint string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch len(args) {
		case 0:
			return &usageError{cmd.Name() + ": no " + what + " is named", hint}
		case 1:
			return nil
		}
		return &usageError{cmd.Name() + ": one " + what + " at a time", hint}
	}
}

// noArgument checks that a command got none.
func noArgument(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return &usageError{
		fmt.Sprintf("%s takes no argument: %q", cmd.Name(), args[0]),
		cmd.CommandPath() + " --help shows what it takes",
	}
}

// flagError adds the nearest flag to a mistake.
func flagError(err error, f *pflag.FlagSet, command string) error {
	hint := command + " --help lists the flags"
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		var names []string
		f.VisitAll(func(g *pflag.Flag) { names = append(names, g.Name) })
		if name := nearest(unknown.GetSpecifiedName(), names); name != "" {
			hint = "did you mean --" + name + "? " + hint
		}
	}
	return &usageError{err.Error(), hint}
}
