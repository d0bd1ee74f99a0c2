// Asks actionlint about a workflow: `{"path": "...", "text": "..."}` in, its complaints out.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/rhysd/actionlint"
)

type question struct {
	// Project is the folder of a repository whose local actions the workflow may use.
	Project string `json:"project"`
	Path    string `json:"path"`
	Text    string `json:"text"`
}

func ask() ([]string, error) {
	var asked question
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		return nil, err
	}
	project, err := actionlint.NewProject(asked.Project)
	if err != nil {
		return nil, err
	}
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
	if err != nil {
		return nil, err
	}
	found, err := linter.Lint(asked.Path, []byte(asked.Text), project)
	if err != nil {
		return nil, err
	}
	told := []string{}
	for _, one := range found {
		told = append(told, fmt.Sprintf("%d: %s [%s]", one.Line, one.Message, one.Kind))
	}
	return told, nil
}

func main() {
	told, err := ask()
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(told)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
