// Package lint holds the project's shape by tests: which package may import
// which, who owns a third-party module, how long a file and a function may be,
// and that every package has one comment. It has no code of its own.
package lint
