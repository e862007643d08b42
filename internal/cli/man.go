package cli

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tcpwhy/internal/cli/manual"
	"tcpwhy/internal/outfile"
)

// manCommand writes the manual pages, for who makes packages.
func manCommand(*console) *cobra.Command {
	return &cobra.Command{
		Use:    "man DIRECTORY",
		Short:  "manual pages, into a directory",
		Hidden: true,
		Args:   oneArgument("DIRECTORY", "it is for who makes packages"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o777); err != nil {
				return err
			}
			for _, p := range manualPages(cmd.Root()) {
				name := filepath.Join(args[0], p.Name+".1")
				err := outfile.Replace(name, p.Write)
				if err == nil {
					err = os.Chmod(name, 0o644) // manuals are for everybody
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// namesake is what nobody needs to know who never meets it.
const namesake = "A file that is called like a command is given as ./FILE."

// manualPages are a page of the program, and one of each command of which there is more to say than
// what it is.
func manualPages(root *cobra.Command) []*manual.Page {
	main := manualPage(root)
	main.Calls = []string{"[flags] FILE...", "[flags] -i NAME"}
	main.About = []string{aboutText, namesake}
	main.Example = strings.TrimSpace(exampleText)
	main.Ends = strings.TrimPrefix(strings.TrimSpace(exitText), "Exit status: ")
	commands := manual.Part{Heading: "COMMANDS"}
	pages := []*manual.Page{main}
	for _, cmd := range root.Commands() {
		if cmd.Hidden {
			continue
		}
		if cmd.Long != "" {
			p := manualPage(cmd)
			p.SeeAlso = []string{root.Name()}
			pages = append(pages, p)
			main.SeeAlso = append(main.SeeAlso, p.Name)
		}
		commands.Items = append(commands.Items, manual.Item{
			Term: strings.TrimPrefix(cmd.UseLine(), root.Name()+" "), Meaning: cmd.Short,
		})
	}
	main.Parts = []manual.Part{commands}
	return pages
}

// manualPage is what a command says of itself.
func manualPage(cmd *cobra.Command) *manual.Page {
	p := &manual.Page{
		Name:    strings.ReplaceAll(cmd.CommandPath(), " ", "-"),
		Program: "tcpwhy " + version(),
		Does:    cmd.Short,
		Calls: []string{
			strings.TrimPrefix(strings.TrimPrefix(cmd.UseLine(), cmd.CommandPath()), " "),
		},
		About:   []string{sentence(cmd)},
		Example: cmd.Example,
	}
	cmd.Flags().VisitAll(func(g *pflag.Flag) {
		_, text := pflag.UnquoteUsage(g)
		p.Flags = append(p.Flags, manual.Item{Term: strings.TrimSpace(flagName(g)), Meaning: text})
	})
	return p
}
