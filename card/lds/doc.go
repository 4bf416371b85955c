// Package lds reads and writes the files of an eMRTD, the Logical Data Structure of ICAO
// Doc 9303-10: EF.COM, EF.SOD, DG1 to DG16, EF.CardAccess and EF.CardSecurity, as
// structures. It decides nothing about trust: what a file says is not thereby true.
package lds
