// Package selectsql runs the SQL of SelectObject on CSV and JSON: one table,
// no grouping, no order. It knows neither objects nor HTTP.
//
// The statements are
//
//	SELECT * | item [AS name], ... FROM ossobject[.path] [AS name] [WHERE condition] [LIMIT n]
//
// An item is a column, a number, a CAST, arithmetic of these, or of the
// aggregates COUNT, SUM, AVG, MIN and MAX. A column is a name of the header
// line, _1, _2, ..., or a path as a.b[0]; in CSV what follows the first step
// is a path into JSON in that column. Conditions know AND, OR, NOT, the
// comparisons, LIKE with ESCAPE, BETWEEN, IN, IS NULL, + - * / % and ||.
// A comparison with a number turns text into one; text that is not a number
// makes the record one that does not fit. What is empty or absent is unknown,
// as NULL is.
package selectsql

import "fmt"

// Error is what is wrong with a statement, the options or the data, with the
// code that the service gives it.
type Error struct {
	Code    string
	EC      string // the finer code, or ""
	Message string

	// InData says that the data is at fault, amid records that may have been
	// given already.
	InData bool
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

func badSQL(format string, args ...any) error {
	return &Error{Code: "InvalidSqlParameter", EC: "0016-00000803", Message: fmt.Sprintf(format, args...)}
}

func badData(code, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), InData: true}
}
