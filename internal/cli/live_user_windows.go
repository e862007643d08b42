package cli

// account is whom the program is to become.
type account struct{ name string }

// findUser refuses --user: Windows has no such thing.
func findUser(name string) (*account, error) {
	if name != "" {
		return nil, &usageError{"--user: not on this system", ""}
	}
	return nil, nil
}

func (*account) become() error { return nil }

// keepRoot is for other systems.
const keepRoot = ""
