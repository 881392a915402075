/** Opens a directory. */
export {}
