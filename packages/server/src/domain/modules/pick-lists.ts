/** Values that several modules share. */
export const SALUTATIONS = ['Mr.', 'Mrs.', 'Ms.', 'Dr.', 'Prof.'] as const;

export const LEAD_SOURCES = [
  'Advertisement',
  'Cold Call',
  'Employee Referral',
  'External Referral',
  'Online Store',
  'Partner',
  'Public Relations',
  'Sales Email Alias',
  'Seminar Partner',
  'Internal Seminar',
  'Trade Show',
  'Web Download',
  'Web Research',
  'Chat',
  'X (Twitter)',
  'Facebook',
] as const;

export const INDUSTRIES = [
  'ASP (Application Service Provider)',
  'Data/Telecom OEM',
  'ERP (Enterprise Resource Planning)',
  'Government/Military',
  'Large Enterprise',
  'ManagementISV',
  'MSP (Management Service Provider)',
  'Network Equipment Enterprise',
  'Non-management ISV',
  'Optical Networking',
  'Service Provider',
  'Small/Medium Enterprise',
  'Storage Equipment',
  'Storage Service Provider',
  'Systems Integrator',
  'Wireless Industry',
  'Communications',
  'Consulting',
  'Education',
  'Financial Services',
  'Manufacturing',
  'Real Estate',
  'Technology',
  'Unknown',
] as const;

export const RATINGS = ['Acquired', 'Active', 'Market Failed', 'Project Cancelled', 'Shut Down'] as const;
export const PRIORITIES = ['High', 'Highest', 'Low', 'Lowest', 'Normal'] as const;
export const GL_ACCOUNTS = ['Sales-Software', 'Sales-Hardware', 'Rental Income', 'Interest Income'] as const;
export const CARRIERS = ['FedEX', 'UPS', 'USPS', 'DHL', 'BlueDart'] as const;
