/** Why a file or folder cannot be written or read, and what to do, as the end of one line. */
export function fileReason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'the folder is not writable. Choose another';
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'a part of the path is a file, not a folder. Choose another';
  if (code === 'EISDIR') return 'the path is a folder. Give a file name';
  if (code === 'ENOSPC') return 'the disk is full. Free some space';
  if (code === 'ENOENT') return 'the folder cannot be made. Choose another';
  return error instanceof Error ? error.message : String(error);
}
